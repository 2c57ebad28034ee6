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

"""TLS for the raw TCP bridge."""

from __future__ import annotations

from pathlib import Path
import ssl

from depth_anything_ros.errors import ConfigError


def server_tls(
    certificate: str | Path | None, key: str | Path | None,
) -> ssl.SSLContext | None:
    """
    Return what encrypts a server's connections, None when no files are named.

    :param certificate: PEM file of the certificate and what leads to its authority.
    :param key: PEM file of its private key.
    :raises ConfigError: when one is missing, unreadable, or they do not belong together.
    """
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise ConfigError('TLS needs both a certificate and its key')
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # A key with a passphrase would ask for it on the terminal.
        context.load_cert_chain(certificate, key, password=lambda: '')
    except (OSError, ValueError) as error:
        raise ConfigError(
            f'TLS certificate {certificate} with key {key}: {error}') from None
    return context
