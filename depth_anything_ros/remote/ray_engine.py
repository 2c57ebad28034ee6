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

"""An engine whose networks are the replicas of a Ray Serve deployment."""

from __future__ import annotations

import time

from depth_anything_ros.engine.base import Inferred, Prepared
from depth_anything_ros.engine.elsewhere import ElsewhereEngine
from depth_anything_ros.remote.ray_network import RayNetwork


class RayEngine(ElsewhereEngine):
    """Depth by replicas: resize before and all after the network happen here."""

    def __init__(self, network: RayNetwork) -> None:
        """
        Use replicas.

        :param network: asks them; the engine's from now on.
        """
        super().__init__(network)
        self.network = network

    async def ask(self, item: Prepared, seconds: float) -> Inferred:
        """
        Return a replica's answer for a frame.

        :param item: the frame.
        :param seconds: how long it may take.
        :raises DepthAnythingError: as :meth:`RayNetwork.ask` does.
        """
        start = time.perf_counter()
        maps = await self.network.maps(self.pixels_of(item), seconds)
        return self.answered(item, maps, time.perf_counter() - start)
