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

"""CURVE for the ZMQ bridge: traffic encrypted by the server's key, clients known by theirs."""

from __future__ import annotations

from dataclasses import dataclass, field
import logging
from pathlib import Path
import stat
from typing import Any, Mapping

from depth_anything_ros.errors import ConfigError, MissingDependency

try:
    import zmq
    from zmq.auth import load_certificate
    from zmq.auth.thread import ThreadAuthenticator
except ImportError as error:
    raise MissingDependency('the ZMQ bridge needs pyzmq: pip install pyzmq') from error

logger = logging.getLogger(__name__)

CURVE_VARIABLE = 'DEPTH_ANYTHING_CURVE_KEY'
"""Environment variable with the server's secret key, 40 characters in Z85."""


@dataclass(frozen=True)
class Curve:
    """
    A server's keys, in Z85, and the clients that it lets in.

    ``clients`` is a folder of their public keys (``*.key``); None lets in all who know the
    server's public key.
    """

    public: bytes
    secret: bytes = field(repr=False)
    clients: Path | None = None

    def secure(self, context: zmq.Context[Any], server: zmq.Socket[Any]) -> Gatekeeper:
        """
        Encrypt a socket that is not bound yet.

        :param context: of the socket; one context has one gatekeeper.
        :param server: the socket.
        :returns: what has to be stopped before the context ends.
        """
        server.curve_secretkey, server.curve_publickey = self.secret, self.public
        server.curve_server = True
        return Gatekeeper(context, self.clients)


class Gatekeeper:
    """Lets clients in by their public keys, in a thread of its own."""

    def __init__(self, context: zmq.Context[Any], clients: Path | None) -> None:
        """Start, when there is a folder of keys to go by."""
        self._authenticator: ThreadAuthenticator | None = None
        if clients is not None:
            self._authenticator = ThreadAuthenticator(context, log=logger)
            self._authenticator.start()
            self._authenticator.configure_curve(domain='*', location=str(clients))

    def stop(self) -> None:
        """End the thread."""
        if self._authenticator is not None:
            self._authenticator.stop()


def curve_of(
    key_file: str | Path | None, clients: str | Path | None, environment: Mapping[str, str],
) -> Curve | None:
    """
    Return the keys that files or the environment hold, None when neither does.

    :param key_file: the server's ``.key_secret`` file as ``zmq.auth`` writes it.
    :param clients: folder of ``.key`` files of the clients that are let in.
    :param environment: may hold the secret key where no file is named.
    :raises ConfigError: when a key or the folder is not what it should be.
    """
    secret = environment.get(CURVE_VARIABLE, '').encode()
    if key_file:
        secret = read_key(Path(key_file), secret=True)
        if stat.S_IMODE(Path(key_file).stat().st_mode) & 0o077:
            logger.warning('others on this machine may read %s: chmod 600 it', key_file)
    if not secret:
        if clients:
            raise ConfigError(
                f'CURVE clients need a server key: name its file, or set {CURVE_VARIABLE}')
        return None
    if not zmq.has('curve'):
        raise ConfigError('this libzmq was built without CURVE')
    folder = Path(clients) if clients else None
    if folder is not None:
        if not folder.is_dir():
            raise ConfigError(f'CURVE clients {folder} is not a folder of .key files')
        for path in folder.glob('*.key'):
            read_key(path)
    try:
        return Curve(zmq.curve_public(secret), secret, folder)
    except (zmq.ZMQError, ValueError) as error:
        raise ConfigError(f'the CURVE secret key is no key of 40 characters: {error}') from None


def read_key(path: Path, *, secret: bool = False) -> bytes:
    """
    Return a key of a file as ``zmq.auth.create_certificates`` writes it.

    :param path: the file.
    :param secret: the secret key, else the public one.
    :raises ConfigError: when it is not there.
    """
    try:
        key = load_certificate(path)[secret]
    except (OSError, ValueError) as error:
        raise ConfigError(f'CURVE key {path}: {error}') from None
    if key is None or len(key) != 40:
        raise ConfigError(f'{path} holds no {"secret" if secret else "public"} key of 40 '
                          'characters')
    return key
