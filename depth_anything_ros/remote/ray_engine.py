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
from typing import Sequence

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.multi_view import Views
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.core.processed_size import plan
from depth_anything_ros.engine.base import Inferred, Prepared, PreparedViews
from depth_anything_ros.engine.batches import check_views
from depth_anything_ros.engine.elsewhere import ElsewhereEngine
from depth_anything_ros.errors import InvalidRequest
from depth_anything_ros.remote.ray_network import RayNetwork
from depth_anything_ros.wire.message import from_body, to_body
from depth_anything_ros.wire.scene_messages import images_message, SCENE_LIMITS, views_of

LONGEST_SCENE_S = 600.0
"""Seconds that a scene has for its way to a replica and back."""


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

    def prepare_views(
        self, frames: Sequence[Frame], options: FrameOptions, most_pixels: int,
    ) -> PreparedViews:
        """
        Check the images of a scene; a replica resizes them.

        :raises InvalidRequest: when the model cannot look at them together, or at no scene.
        :raises PayloadTooLarge: when they have more than ``most_pixels`` at the processed size.
        """
        if not self.network.scenes:
            raise InvalidRequest(f'the engine of {self.info.model} makes no reconstructions')
        sizes = [plan(*frame.size, options.process_res or self.info.process_res,
                      options.process_res_method).size for frame in frames]
        width, height = (min(size[axis] for size in sizes) for axis in (0, 1))
        check_views(self.info, len(frames), (width, height), most_pixels)
        return PreparedViews(tuple(frames), options, (height, width), most_pixels)

    def infer_views(self, prepared: PreparedViews) -> Views:
        """
        Return depth and cameras of all images in one world, waiting for a replica.

        :raises DepthAnythingError: as :meth:`RayNetwork.ask` does.
        """
        body = b''.join(to_body(
            images_message(prepared.frames, prepared.options, prepared.payload)))
        reply = self.network.wait(self.network.ask('views', body, LONGEST_SCENE_S))
        return views_of(from_body(reply, SCENE_LIMITS))
