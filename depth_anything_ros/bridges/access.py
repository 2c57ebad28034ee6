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

"""Who may ask: loopback by default, a key or a spoken-out choice for everybody else."""

from __future__ import annotations

from dataclasses import dataclass, field
import hmac
import ipaddress
from typing import Any, Mapping

from depth_anything_ros.bridges.base import resolve
from depth_anything_ros.errors import ConfigError, Unauthorized

KEY_VARIABLE = 'DEPTH_ANYTHING_API_KEY'


@dataclass(frozen=True)
class Access:
    """
    Which address a bridge binds and whether requests need a key.

    ``key`` is '' for none, or several with blanks between them, one for each client; it never
    shows in a text of this object.
    """

    host: str = '127.0.0.1'
    key: str = field(default='', repr=False)
    allow_anonymous: bool = False

    def __post_init__(self) -> None:
        """Refuse to open a port to others by accident."""
        if self.key and not self.key.split():
            raise ConfigError(f'{KEY_VARIABLE} holds nothing but blanks')
        if is_loopback(resolve(self.host)[1]) or self.key or self.allow_anonymous:
            return
        raise ConfigError(
            f'host {self.host} is open to other machines: set a key in {KEY_VARIABLE}, or '
            'say --allow-anonymous to serve everybody')

    def allows(self, key: object) -> bool:
        """Return whether this is one of the keys, or none is needed."""
        if not self.key:
            return True
        # surrogatepass: a text from outside may hold lone surrogates.
        seen = key.encode('utf-8', 'surrogatepass') if isinstance(key, str) else b''
        # All are compared: how long it takes says nothing about which one was close.
        right = [hmac.compare_digest(seen, known.encode('utf-8', 'surrogatepass'))
                 for known in self.key.split()]
        return any(right)

    def check(self, request: Mapping[Any, Any]) -> None:
        """
        Refuse a request without the key.

        :param request: the request's keys; the key is under ``api_key``.
        :raises Unauthorized: when it is missing or wrong.
        """
        if self.key and not self.allows(request.get('api_key')):
            raise Unauthorized("the key is missing or wrong; send it as 'api_key'")


def is_loopback(address: str) -> bool:
    """Return whether an IP address belongs to this machine alone."""
    parsed = ipaddress.ip_address(address.partition('%')[0])
    mapped = getattr(parsed, 'ipv4_mapped', None)
    return bool((mapped or parsed).is_loopback)
