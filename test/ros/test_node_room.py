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

"""Known rooms through the real program: another process, the bundled network, DDS both ways."""

import importlib.util
import json
from pathlib import Path
import signal

import depth_anything_ros
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.geometry import unproject
from depth_anything_ros.scenes import demo_rooms, random_view, render
import numpy as np
import pytest
from ros_parts import (
    camera_info,
    depth_from,
    Process,
    Rig,
    ros_context,
    stamped,
    wait_until,
    xyz_of,
)
from sensor_msgs.msg import Image

pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(importlib.util.find_spec('depth_anything_3') is None,
                       reason='depth_anything_3 is not installed')]

CAMERA = Intrinsics.from_fov(65, 320, 240)
VIEWS = 8
STATED = Path(depth_anything_ros.__file__).parent / 'models' / 'da3-tiny' / 'accuracy.json'
FEW = 1.5
"""Allowance for the chance in so few viewpoints: the stated error is a mean over 200."""


@pytest.mark.skipif(not STATED.is_file(), reason='the accuracy of da3-tiny is not stated yet')
def test_rooms_come_back_in_metres():
    program = ('-m', 'depth_anything_ros.ros.node', '--ros-args', '-p', 'model.name:=da3-tiny',
               '-p', 'model.device:=cpu')
    errors = []
    with ros_context() as context, Process(*program) as node:
        rig = Rig(context)
        try:
            assert node.says('active:', 60), node.lines
            assert wait_until(rig.connected)
            for index, room in enumerate(demo_rooms()[:VIEWS]):
                view = render(room, random_view(room, np.random.default_rng(index)), CAMERA)
                image = Image(height=240, width=320, encoding='rgb8', step=960)
                image.data.frombytes(view.rgb.tobytes())
                stamp = index + 1
                out = rig.ask(stamped(image, stamp), camera_info(CAMERA, stamp))
                depth = depth_from(out['depth/image'])
                assert depth.shape == view.depth.shape
                errors.append(np.nanmean(np.abs(depth / view.depth - 1)))
                assert np.isfinite(depth).mean() > 0.95
                points = unproject(depth, CAMERA)
                assert np.allclose(xyz_of(out['depth/points']), points, rtol=1e-5, equal_nan=True)
        finally:
            rig.close()
        assert node.end(signal.SIGINT) == 0, node.lines
    stated = json.loads(STATED.read_text())['known_rooms']['abs_rel']
    assert len(errors) == VIEWS and np.mean(errors) < FEW * stated, errors
    text = '\n'.join(node.lines)
    for words in ('da3-tiny', 'Apache-2.0', 'scale law: canonical', 'demos and tests only'):
        assert words in text
