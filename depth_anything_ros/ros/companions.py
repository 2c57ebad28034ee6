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

"""Servers that run beside the topics and share the node's service."""

from __future__ import annotations

import logging
from typing import Any, Callable, Mapping

from depth_anything_ros.core.options import Output
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import ConfigError
from depth_anything_ros.service import DepthService
from depth_anything_ros.settings import Settings

logger = logging.getLogger(__name__)

STOP_S = 1.0
"""Seconds that a server's requests have to be answered when the node is cleaned up."""

Make = Callable[[Settings], Mapping[str, Any]]
"""
Returns servers by name: ``bridges.base.Bridge`` says what each can do. One that has ``publish``,
and ``wanted``, also takes the results of the cameras: see ``bridges.publisher``.
"""


class Companions:
    """The servers of one node: there from its configuration to its cleaning up."""

    def __init__(self, make: Make) -> None:
        """
        Have none yet.

        :param make: makes the servers that the settings ask for.
        """
        self._make = make
        self._running: dict[str, Any] = {}

    def serve(self, service: DepthService, settings: Settings) -> None:
        """
        Open the ports, or go on with another service where they are open already.

        :param service: what answers requests from now on.
        :param settings: which servers, where and for whom; read when the ports are opened.
        :raises ConfigError: when a port cannot be had or would be open to others by accident.
        :raises MissingDependency: when a server's library is not installed.
        """
        if not self._running:
            for name, server in self._make(settings).items():
                try:
                    server.listen()
                except OSError as error:
                    self.close()
                    raise ConfigError(
                        f'bridges.{name}.port: {error.strerror or error}') from None
                except Exception:
                    self.close()
                    raise
                self._running[name] = server
                logger.info('serving %s at %s', name, server.address)
        for server in self._running.values():
            server.start(service)

    def addresses(self) -> dict[str, str]:
        """Return where each server is reached, by name."""
        return {name: server.address for name, server in self._running.items()}

    def wanted(self, camera: str) -> frozenset[Output]:
        """Return what somebody follows of a camera at a server that publishes."""
        return frozenset[Output]().union(
            *(server.wanted(camera) for server in self._publishers()))

    def publish(self, camera: str, result: DepthResult) -> None:
        """Hand the newest result of a camera to the servers that publish."""
        for server in self._publishers():
            server.publish(camera, result)

    def _publishers(self) -> list[Any]:
        return [server for server in self._running.values() if hasattr(server, 'publish')]

    def close(self) -> None:
        """Answer what is under way and free the ports."""
        running, self._running = self._running, {}
        for server in running.values():
            server.stop(STOP_S)
