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

from depth_anything_ros.clients.base import Client, REPLY_LIMITS, TIMEOUT_S
from depth_anything_ros.errors import (
    ConfigError,
    DeadlineExceeded,
    DepthAnythingError,
    Forbidden,
    NotReady,
)
from depth_anything_ros.wire.message import from_body, Message, to_frame
from depth_anything_ros.wire.pickled import is_pickle, read
from depth_anything_ros.wire.status import error_of
from depth_anything_ros.wire.streams import Stream


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
        self._stream: Stream | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = self._stream = None

    def _exchange(self, message: Message, request_id: str) -> Message:
        deadline = time.monotonic() + self.timeout
        done = False
        try:
            stream = self._connected(deadline)
            stream.send(to_frame(message), deadline)
            body = stream.receive(deadline)
            if body is None:
                raise NotReady(f'the server at {self._where()} has ended the connection')
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

    def _connected(self, deadline: float) -> Stream:
        if self._stream is None:
            self._connection = socket.create_connection(self._server, self._left(deadline))
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                self._connection = self._tls.wrap_socket(
                    self._connection, server_hostname=self._server[0])
            self._stream = Stream(self._connection, REPLY_LIMITS)
        if self._stream.paced != self.timeout:
            self._stream.pace(self.timeout)
        return self._stream

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
