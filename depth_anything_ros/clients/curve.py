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

"""CURVE keys of ZMQ clients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from depth_anything_ros.errors import ConfigError, MissingDependency

try:
    import zmq
    from zmq.auth import load_certificate
except ImportError as error:
    raise MissingDependency('the ZMQ client needs pyzmq: pip install pyzmq') from error

KEY_LENGTH = 40
"""Characters of a key in Z85."""


def encrypt(socket: zmq.Socket[Any], server_key: str | Path, client_key: str | Path = '') -> None:
    """
    Encrypt a socket that is not connected yet.

    :param socket: the socket.
    :param server_key: the server's public key, 40 characters, or its ``.key`` file.
    :param client_key: the client's ``.key_secret`` file; default: a pair of the moment.
    :raises ConfigError: when a key is not to be had.
    """
    try:
        public, secret = load_certificate(client_key) if client_key else zmq.curve_keypair()
        server = str(server_key).encode() if len(str(server_key)) == KEY_LENGTH \
            and not Path(server_key).exists() else load_certificate(server_key)[0]
        socket.curve_publickey, socket.curve_secretkey = public, secret or b''
        socket.curve_serverkey = server
    except (OSError, ValueError, zmq.ZMQError) as error:
        raise ConfigError(f'CURVE keys: {error}') from None
