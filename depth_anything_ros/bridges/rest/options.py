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

"""What an operator decides about the REST bridge."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from depth_anything_ros.bridges.access import Access
from depth_anything_ros.bridges.backend.exports import ExportRoots
from depth_anything_ros.bridges.base import BridgeLimits
from depth_anything_ros.bridges.image_roots import ImageRoots
from depth_anything_ros.bridges.rest.fetching import FetchPolicy
from depth_anything_ros.errors import ConfigError
from depth_anything_ros.reconstruction.sessions import SessionLimits

PORT = 8000
"""Default of the seed's server, and of the all-in-one program."""

REST_LIMITS = BridgeLimits(clients=256, in_flight=32, idle_s=60.0, message_s=60.0)
"""A browser opens six connections, and each waits between two requests."""


@dataclass(frozen=True)
class RestOptions:
    """
    Who may ask, how much, from which pages.

    ``origins`` are pages beside those of this machine that browsers may ask from, '*' for all;
    ``hosts`` are names that requests may carry as Host beside those of this machine;
    ``certificate`` and ``certificate_key`` are PEM files for TLS; ``rate`` is how many requests a
    client may send per second, 0 for any number; ``fetch`` whether clients may name pictures by
    URL; ``sessions`` bounds what is kept for reconstructions; ``exports`` are folders that tasks
    may write to; ``gallery`` is a folder of scenes to show.
    """

    access: Access = field(default_factory=Access)
    limits: BridgeLimits = REST_LIMITS
    roots: ImageRoots = field(default_factory=ImageRoots)
    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    certificate: Path | None = None
    certificate_key: Path | None = None
    rate: float = 0.0
    fetch: FetchPolicy = field(default_factory=FetchPolicy)
    sessions: SessionLimits = field(default_factory=SessionLimits)
    exports: ExportRoots = field(default_factory=ExportRoots)
    gallery: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if (self.certificate is None) != (self.certificate_key is None):
            raise ConfigError('TLS needs both a certificate and its key')
        for path in (self.certificate, self.certificate_key):
            if path is not None and not path.is_file():
                raise ConfigError(f'no such file: {path}')
        if not self.rate >= 0:
            raise ConfigError(f'rate must be 0 or more requests per second, seen {self.rate}')
