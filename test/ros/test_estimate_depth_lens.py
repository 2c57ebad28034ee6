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

"""Where ~/estimate_depth takes the lens out: on the device where the engine does that."""

from dataclasses import replace

from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.service import DepthService
from depth_anything_ros.srv import EstimateDepth
import numpy as np
import pytest
from ros_parts import (
    camera_info,
    coded_image,
    depth_from,
    depth_of,
    node_here,
    plane_depth,
    Rig,
    ros_context,
    small_camera,
    wait_until,
)

pytestmark = pytest.mark.ros
CAMERA = small_camera(48, 36)


class Engine(GivenDepthEngine):
    """Reads the depth from the colours, and keeps what it was handed."""

    def __init__(self, rectifies):
        super().__init__(lambda frame: depth_of(frame.rgb))
        self._info = replace(self._info, rectifies=rectifies)
        self.frames = []

    def prepare(self, frame, options):
        self.frames.append(frame)
        return super().prepare(frame, options)


def test_the_lens_is_left_to_an_engine_that_takes_it_out():
    image, info = coded_image(plane_depth(CAMERA), 5), camera_info(CAMERA, 5)
    info.distortion_model, info.d = 'plumb_bob', [-0.2, 0.05, 0.001, -0.002, 0.0]
    engines = {rectifies: Engine(rectifies) for rectifies in (False, True)}
    depths = []
    with ros_context() as context:
        for engine in engines.values():
            rig = Rig(context, topics={})
            with node_here(context, service=lambda settings, engine=engine: DepthService(engine),
                           camera__rectify=True) as node:
                assert wait_until(lambda node=node: node.state == 'active')
                client = rig.node.create_client(
                    EstimateDepth, '/depth_anything/estimate_depth')
                assert wait_until(client.service_is_ready)
                future = client.call_async(
                    EstimateDepth.Request(image=image, camera_info=info))
                assert wait_until(future.done)
                answer = future.result()
                assert answer.success, answer.message
                depths.append(depth_from(answer.depth))
            rig.close()
    (host,), (device,) = (engine.frames for engine in engines.values())
    assert host.lens is None and device.lens is not None
    np.testing.assert_array_equal(device.rectified().rgb, host.rgb)
    np.testing.assert_array_equal(*depths)
