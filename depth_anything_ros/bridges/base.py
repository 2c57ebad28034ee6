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

"""What every bridge is: where it listens, how much it takes, and how it starts and stops."""

from __future__ import annotations

from dataclasses import dataclass, field
import errno
import math
import socket
from typing import Protocol

from depth_anything_ros.errors import ConfigError
from depth_anything_ros.service import DepthService
from depth_anything_ros.wire.limits import Limits

DRAIN_S = 10.0
"""Seconds that requests under way have to finish when a bridge stops."""


@dataclass(frozen=True)
class BridgeLimits:
    """
    Bounds of a bridge; ``message`` are those of one message.

    ``clients`` are served at once, each with ``in_flight`` requests under way. A client may be
    silent for ``idle_s`` seconds between messages; a message, once begun, has ``message_s``
    seconds to arrive or to be taken; a request is answered after ``request_s`` seconds at most.
    """

    message: Limits = field(default_factory=Limits)
    clients: int = 32
    in_flight: int = 4
    idle_s: float = 600.0
    message_s: float = 30.0
    request_s: float = 60.0

    def __post_init__(self) -> None:
        """Refuse a limit that lets nothing through."""
        for name in ('clients', 'in_flight', 'idle_s', 'message_s', 'request_s'):
            if not 0 < getattr(self, name) < math.inf:
                raise ConfigError(
                    f'limit {name} must be positive and finite, seen {getattr(self, name)}')


class Bridge(Protocol):
    """A server of one protocol."""

    @property
    def address(self) -> str:
        """Return where clients connect to, with the real port, once it listens."""
        ...

    def listen(self) -> None:
        """
        Take the port; clients may connect and wait from now on.

        :raises OSError: when the port is in use or not allowed.
        """
        ...

    def start(self, service: DepthService) -> None:
        """
        Serve with a service that stays the caller's, in threads of its own.

        Called again it goes on with another service; requests under way stay with the first.
        """
        ...

    def stop(self, timeout: float = DRAIN_S) -> None:
        """
        Take no more requests, finish or refuse those under way, and free the port.

        :param timeout: seconds that requests under way have.
        """
        ...


def resolve(host: str) -> tuple[socket.AddressFamily, str]:
    """
    Return family and number of the address that a server is to bind.

    :param host: a name, an IPv4 or IPv6 address, or ``*`` for all IPv4 interfaces.
    :raises ConfigError: when it is no address of this machine's network.
    """
    if host == '*':
        return socket.AF_INET, '0.0.0.0'
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ConfigError(f'host {host!r} cannot be resolved: {error}') from None
    # IPv4 first: the clients of the seeds know nothing else.
    family, _, _, _, address = min(found, key=lambda item: item[0] != socket.AF_INET)
    return family, str(address[0])


def bind_problem(code: int | None, host: str, port: int, reason: str) -> OSError:
    """
    Return an error for a port that cannot be had, with a text that helps.

    :param code: the system's error number.
    :param host: the address.
    :param port: the port.
    :param reason: what the system said.
    """
    if code == errno.EADDRINUSE:
        reason = 'the port is in use; stop the other program or choose another port (0: any)'
    elif code == errno.EACCES:
        reason = 'not allowed; ports below 1024 need privileges'
    return OSError(code, f'cannot listen on {host} port {port}: {reason}')
