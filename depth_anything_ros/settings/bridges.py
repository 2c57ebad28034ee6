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

"""Settings of the servers that run inside the node and share its model."""

from __future__ import annotations

from dataclasses import dataclass, field

from depth_anything_ros.settings.schema import setting

LARGEST_PORT = 65535
MOST_CLIENTS = 10_000
LONGEST_S = 86_400.0


@dataclass(frozen=True)
class ZmqSettings:
    """The ZMQ bridge."""

    enabled: bool = setting(
        False, 'Serve requests over ZMQ while the node is configured.', read_only=True)
    port: int = setting(
        5555, 'TCP port of the ZMQ requests; 0: any free one, said in the log.', low=0,
        high=LARGEST_PORT, read_only=True)
    curve_key: str = setting(
        '', 'Secret key (.key_secret file of zmq.auth) that encrypts ZMQ and its topic by CURVE; '
        'empty: nothing does.', read_only=True)
    curve_clients: str = setting(
        '', 'Folder of the public keys (*.key) of the ZMQ clients that are let in; empty: all who '
        "know the server's.", read_only=True)
    max_clients: int = setting(
        32, 'ZMQ clients whose requests are taken at once.', low=1, high=MOST_CLIENTS,
        read_only=True)
    request_timeout: float = setting(
        60.0, 'Longest time until a ZMQ request is answered, if only by an error.', unit='s',
        low=0.01, high=LONGEST_S, read_only=True)


@dataclass(frozen=True)
class TcpSettings:
    """The raw TCP bridge."""

    enabled: bool = setting(
        False, 'Serve requests over raw TCP while the node is configured.', read_only=True)
    port: int = setting(
        9000, 'Port of raw TCP; 0: any free one, said in the log.', low=0,
        high=LARGEST_PORT, read_only=True)
    tls_cert: str = setting(
        '', 'Certificate (PEM) that encrypts raw TCP by TLS; empty: nothing does.',
        read_only=True)
    tls_key: str = setting(
        '', 'Key (PEM) of the certificate of raw TCP.', read_only=True)
    max_clients: int = setting(
        32, 'Raw TCP connections that are served at once.', low=1, high=MOST_CLIENTS,
        read_only=True)
    idle_timeout: float = setting(
        600.0, 'Longest silence of a raw TCP client between two requests.', unit='s', low=0.01,
        high=LONGEST_S, read_only=True)
    message_timeout: float = setting(
        30.0, 'Longest time that a message of raw TCP takes to arrive or to be read.', unit='s',
        low=0.01, high=LONGEST_S, read_only=True)
    request_timeout: float = setting(
        60.0, 'Longest time until a raw TCP request is answered, if only by an error.', unit='s',
        low=0.01, high=LONGEST_S, read_only=True)


@dataclass(frozen=True)
class RestSettings:
    """The REST bridge, with its page at /dashboard."""

    enabled: bool = setting(
        False, 'Serve HTTP while the node is configured: depth, point clouds, live previews of '
        'the cameras, metrics.', read_only=True)
    port: int = setting(
        8000, 'TCP port of HTTP; 0: any free one, said in the log.', low=0,
        high=LARGEST_PORT, read_only=True)
    cors_origins: tuple[str, ...] = setting(
        (), 'Pages that browsers may ask from beside those of this machine: https://host:port, '
        'null for files, * for all.', read_only=True)
    allowed_hosts: tuple[str, ...] = setting(
        (), 'Further names by which requests may address the server.', read_only=True)
    tls_cert: str = setting(
        '', 'Certificate (PEM) that encrypts HTTP by TLS; empty: nothing does.', read_only=True)
    tls_key: str = setting('', 'Key (PEM) of the certificate of HTTP.', read_only=True)
    rate: float = setting(
        0.0, 'Requests per second that one client may send; 0: any number.', low=0.0,
        high=1e6, read_only=True)
    in_flight: int = setting(
        32, 'Requests that one client may have under way.', low=1, high=1024, read_only=True)
    allow_image_url: bool = setting(
        False, 'Let clients name pictures on public https servers.', read_only=True)
    image_url_hosts: tuple[str, ...] = setting(
        (), 'Servers that such pictures may be on; empty: all public ones.', read_only=True)
    max_clients: int = setting(
        256, 'HTTP connections that are served at once.', low=1, high=MOST_CLIENTS,
        read_only=True)
    idle_timeout: float = setting(
        60.0, 'Longest silence of an HTTP connection between two requests, in whole seconds.',
        unit='s', low=1.0, high=LONGEST_S, read_only=True)
    message_timeout: float = setting(
        60.0, 'Longest time that the body of an HTTP request takes to arrive and that a reader '
        'stands still.', unit='s', low=0.01, high=LONGEST_S, read_only=True)
    request_timeout: float = setting(
        60.0, 'Longest time until an HTTP request is answered, if only by an error.', unit='s',
        low=0.01, high=LONGEST_S, read_only=True)
    max_sessions: int = setting(
        100, 'Reconstruction sessions that are kept at once.', low=1, high=10_000,
        read_only=True)
    session_timeout: float = setting(
        3600.0, 'Time after which a reconstruction session that nobody uses is deleted.', unit='s',
        low=1.0, high=1e7, read_only=True)
    num_max_points: int = setting(
        10_000_000, 'Points of the model of a session where the client says nothing.', low=1,
        high=50_000_000, read_only=True)
    export_roots: tuple[str, ...] = setting(
        (), 'Folders below which tasks of /inference may write.', read_only=True)
    gallery: str = setting(
        '', 'Folder whose scenes are shown at /gallery/; empty: none.', read_only=True)


@dataclass(frozen=True)
class PubSettings:
    """The ZMQ topic that other programs follow."""

    enabled: bool = setting(
        False, 'Publish the newest results on a ZMQ topic while the node is configured.',
        read_only=True)
    port: int = setting(
        5556, 'TCP port of the ZMQ topic; 0: any free one, said in the log.', low=0,
        high=LARGEST_PORT, read_only=True)


@dataclass(frozen=True)
class BridgeSettings:
    """Where the node listens, and for whom."""

    host: str = setting(
        '127.0.0.1', 'Address to listen on; any other than loopback needs a key in the '
        'environment variable DEPTH_ANYTHING_API_KEY, or bridges.allow_anonymous.',
        read_only=True)
    allow_anonymous: bool = setting(
        False, 'Serve other machines without a key.', read_only=True)
    image_roots: tuple[str, ...] = setting(
        (), 'Folders in which clients may name pictures of this machine.', read_only=True)
    max_message: int = setting(
        64, 'Largest request that ZMQ, raw TCP or HTTP takes.', unit='MiB', low=1, high=1024,
        read_only=True)
    zmq: ZmqSettings = field(default_factory=ZmqSettings)
    tcp: TcpSettings = field(default_factory=TcpSettings)
    pub: PubSettings = field(default_factory=PubSettings)
    rest: RestSettings = field(default_factory=RestSettings)
