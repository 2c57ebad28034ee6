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

"""
Pictures by URL: only where the operator allows it, only public https servers (rule P2).

A name is resolved once, every address is checked and the connection goes to the checked one, so
that a second answer of the DNS server changes nothing. Each redirect is checked in the same way.
No proxy is asked: it would connect on our behalf to whatever it likes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from typing import Callable
from urllib.parse import urljoin, urlsplit

from depth_anything_ros.errors import InvalidRequest

REDIRECTS = 3

REFUSED = 'image_url is off; the operator can allow it with --allow-image-url'

NAT64 = ipaddress.ip_network('64:ff9b::/96')


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the public internet, whatever it is wrapped in."""
    parsed = ipaddress.ip_address(address.partition('%')[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (
            parsed.teredo[1] if parsed.teredo else None)
        if parsed in NAT64:
            inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return parsed.is_global and not parsed.is_multicast


@dataclass(frozen=True)
class FetchPolicy:
    """
    Whether, from where and how much.

    ``hosts`` are the only names that may be asked, empty for all; ``allowed`` decides by address.
    """

    enabled: bool = False
    hosts: tuple[str, ...] = ()
    seconds: float = 10.0
    allowed: Callable[[str], bool] = is_public
    trust: ssl.SSLContext | None = field(default=None, repr=False)


class _Pinned(http.client.HTTPSConnection):
    """A connection to a checked address, with the certificate of the name."""

    def __init__(self, host: str, port: int, address: str, policy: FetchPolicy) -> None:
        context = policy.trust or ssl.create_default_context()
        super().__init__(host, port, timeout=policy.seconds, context=context)
        self._address, self._trust = address, context

    def connect(self) -> None:
        """Connect to the address and talk as the name."""
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._trust.wrap_socket(plain, server_hostname=self.host)

    def abort(self) -> None:
        """End it from another thread; a read that waits ends too."""
        try:
            if self.sock is not None:
                self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            # It is gone already.
            pass


def fetch(url: str, policy: FetchPolicy, limit: int) -> bytes:
    """
    Return what a URL names; for the pool.

    :param url: an https address.
    :param policy: what is allowed.
    :param limit: bytes that it may have.
    :raises InvalidRequest: when it is not allowed, not there, too large or too slow; the text
        does not say what was found inside a private network.
    """
    if not policy.enabled:
        raise InvalidRequest(REFUSED)
    due = time.monotonic() + policy.seconds
    for _ in range(REDIRECTS + 1):
        target = _one(url, policy, limit, due)
        if isinstance(target, bytes):
            return target
        try:
            url = urljoin(url, target)
        except ValueError:
            raise InvalidRequest('image_url leads to what is no URL') from None
    raise InvalidRequest(f'image_url leads through more than {REDIRECTS} redirects')


def _one(url: str, policy: FetchPolicy, limit: int, due: float) -> bytes | str:
    """Return the content of one address, or where it leads to."""
    host, port, path = _parts(url, policy)
    connection = _Pinned(host, port, _address(host, port, policy), policy)
    # A header that comes byte by byte is within every timeout of the socket.
    end = threading.Timer(max(0.0, due - time.monotonic()), connection.abort)
    end.start()
    try:
        connection.request('GET', path, headers={
            'Accept': 'image/*', 'Accept-Encoding': 'identity',
            'User-Agent': 'depth_anything_ros'})
        reply = connection.getresponse()
        if reply.status in (301, 302, 303, 307, 308):
            return reply.getheader('Location', '')
        if reply.status != 200:
            raise InvalidRequest(f'image_url was answered with status {reply.status}')
        data = bytearray()
        while chunk := reply.read1(65536):
            data += chunk
            if len(data) > limit:
                raise InvalidRequest(f'image_url has more than {limit} bytes')
        if time.monotonic() >= due:
            # What was cut off looks like an end.
            raise TimeoutError
        return bytes(data)
    except (OSError, http.client.HTTPException, ValueError):
        # One text for all: who asks is not to learn what runs where.
        raise InvalidRequest('image_url could not be fetched') from None
    finally:
        end.cancel()
        connection.close()


def _parts(url: str, policy: FetchPolicy) -> tuple[str, int, str]:
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or '').encode('idna').decode(), parts.port or 443
    except ValueError:
        raise InvalidRequest('image_url is no URL') from None
    if parts.scheme != 'https' or not host or parts.username is not None:
        raise InvalidRequest('image_url must be https://host/path without a user name')
    if policy.hosts and host.lower() not in policy.hosts:
        raise InvalidRequest('image_url names a host that is not allowed')
    path = (parts.path or '/') + (f'?{parts.query}' if parts.query else '')
    if not path.isascii() or not path.isprintable() or ' ' in path:
        raise InvalidRequest('image_url has characters that must be percent-encoded')
    return host, port, path


def _address(host: str, port: int, policy: FetchPolicy) -> str:
    try:
        found = [str(item[4][0]) for item in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM)]
    except OSError:
        raise InvalidRequest('image_url could not be fetched') from None
    # All of them: a name with one private address is a trick.
    if not found or not all(policy.allowed(address) for address in found):
        raise InvalidRequest('image_url could not be fetched')
    return found[0]
