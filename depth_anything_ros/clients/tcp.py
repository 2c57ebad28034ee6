# Copyright 2026 the depth_anything_ros authors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""A client of the raw TCP bridge in our own form: no pickles, no copies."""

from __future__ import annotations

from pathlib import Path
import socket
import ssl
import time
from typing import Sequence

from depth_anything_ros.clients.base import Client, REPLY_LIMITS, TIMEOUT_S
from depth_anything_ros.errors import (
    ConfigError,
    DeadlineExceeded,
    DepthAnythingError,
    Forbidden,
    NotReady,
)
from depth_anything_ros.wire.framing import Buffer, framed, FrameReader, unsent
from depth_anything_ros.wire.message import from_body, Message, to_body
from depth_anything_ros.wire.pickled import is_pickle, read
from depth_anything_ros.wire.status import error_of


class TcpClient(Client):
    """Asks a raw TCP bridge; connects with the first request, and again after an error."""

    def __init__(
        self, host: str = 'localhost', port: int = 9000, *, timeout: float = TIMEOUT_S,
        api_key: str = '', tls: ssl.SSLContext | str | Path | None = None,
    ) -> None:
        """
        Remember where the server is.

        :param host: name or address of the server.
        :param port: its TCP port.
        :param timeout: seconds that a request may take.
        :param api_key: the server's key, '' for none.
        :param tls: PEM file of the server's certificate or of its authority, or a context, when
            the server speaks TLS.
        """
        super().__init__(timeout, api_key)
        if isinstance(tls, (str, Path)):
            try:
                tls = ssl.create_default_context(cafile=tls)
            except OSError as error:
                raise ConfigError(f'no certificate in {tls}: {error}') from None
        self._tls = tls
        self._server = host, port
        self._connection: socket.socket | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, message: Message, request_id: str) -> Message:
        deadline = time.monotonic() + self.timeout
        done = False
        try:
            connection = self._connected(deadline)
            views: Sequence[Buffer] = framed(to_body(message))
            while views:
                connection.settimeout(self._left(deadline))
                # In one call: small pieces ahead would each wake the server. TLS has no such call.
                sent = connection.send(views[0]) if isinstance(connection, ssl.SSLSocket) \
                    else connection.sendmsg(views)
                views = unsent(views, sent)
            reader = FrameReader(REPLY_LIMITS)
            body = None
            while body is None:
                connection.settimeout(self._left(deadline))
                size = connection.recv_into(reader.buffer())
                if not size:
                    raise NotReady(f'the server at {self._where()} has ended the connection')
                body = reader.received(size)
            if is_pickle(body):
                raise refusal(body)
            reply = from_body(body, REPLY_LIMITS)
            done = True
            return reply
        except TimeoutError:
            raise self._late() from None
        except ssl.SSLError as error:
            raise Forbidden(f'no trust in the server at {self._where()}: {error}') from error
        except OSError as error:
            raise NotReady(f'no server at {self._where()}: {error}') from error
        finally:
            if not done:
                # What would come on this connection belongs to a request that was given up.
                self.close()

    def _connected(self, deadline: float) -> socket.socket:
        if self._connection is None:
            self._connection = socket.create_connection(self._server, self._left(deadline))
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                self._connection = self._tls.wrap_socket(
                    self._connection, server_hostname=self._server[0])
        return self._connection

    def _left(self, deadline: float) -> float:
        left = deadline - time.monotonic()
        if left <= 0:
            raise self._late()
        return left

    def _late(self) -> DeadlineExceeded:
        return DeadlineExceeded(f'no reply from {self._where()} within {self.timeout:g} s')

    def _where(self) -> str:
        return f'{self._server[0]}:{self._server[1]}'


def refusal(body: memoryview) -> DepthAnythingError:
    """Return the error of a server that has not read so far as to know our form: a pickle."""
    fields = read(body, REPLY_LIMITS)
    if not isinstance(fields, dict):
        return NotReady('the server answers in another protocol')
    return error_of(fields.get('code'), fields.get('message'))
