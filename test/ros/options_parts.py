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

"""A node whose model says what the image says, and a reader of all its topics."""

from contextlib import contextmanager

from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.geometry import unproject
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.service import DepthService
from depth_anything_ros.settings import describe
import numpy as np
from rclpy.parameter import Parameter
from ros_parts import (
    camera_info,
    CODE,
    coded_image,
    depth_of,
    FRAME,
    node_here,
    plane_depth,
    Rig,
    ros_context,
    small_camera,
    wait_until,
)
from sensor_msgs.msg import CameraInfo, Image, LaserScan, PointCloud2

CAMERA = small_camera()
TOPICS = {
    'depth/image': Image, 'depth/camera_info': CameraInfo, 'depth/points': PointCloud2,
    'depth/scan': LaserScan, 'depth/preview': Image, 'color/image': Image,
    'color/camera_info': CameraInfo, 'confidence/image': Image, 'sky/mask': Image,
    'depth/image_raw': Image, 'camera_info/estimated': CameraInfo}
SKY_ROWS = 8
LIVE = [item for item in describe()
        if item.name.split('.')[0] in ('points', 'sky', 'mount', 'scan', 'depth')]


class World:
    """What the given engine answers; ``scale`` is how much smaller the network's maps are."""

    scale = 1

    def depth(self, frame):
        return depth_of(frame.rgb)[::self.scale, ::self.scale]

    def sky(self, frame):
        height, width = frame.rgb.shape[:2]
        sky = np.zeros((height, width), np.float32)
        sky[:SKY_ROWS] = 1.0
        return sky[::self.scale, ::self.scale]

    def confidence(self, frame):
        height, width = frame.rgb.shape[:2]
        values = np.tile(np.linspace(1, 9, width, dtype=np.float32), (height, 1))
        return values[::self.scale, ::self.scale]

    def camera(self, frame):
        width, height = frame.size
        return CAMERA.resized(width // self.scale, height // self.scale)


WORLD = World()


def service(settings):
    return DepthService(GivenDepthEngine(
        WORLD.depth, kind=DepthKind.METRIC, model='exact', confidence_of=WORLD.confidence,
        sky_of=WORLD.sky, camera_of=WORLD.camera))


class Bench:
    """A node and a reader of all its topics; every question has a stamp of its own."""

    def __init__(self, node, rig):
        self.node, self.rig, self.stamp = node, rig, 10 ** 9

    def change(self, **values):
        result = self.node.set_parameters_atomically([
            Parameter(name.replace('__', '.'), value=value) for name, value in values.items()])
        assert result.successful, result.reason

    def ask(self, depth=None, frame_id=FRAME, step=10 ** 9):
        self.stamp += step
        depth = room() if depth is None else depth
        return self.rig.ask(coded_image(depth, self.stamp, frame_id),
                            camera_info(CAMERA, self.stamp, frame_id))

    def cloud(self, **values):
        self.change(**values)
        return self.ask()['depth/points']

    def restore(self):
        """Put every option back."""
        self.change(**{item.name: item.default for item in LIVE})
        WORLD.scale = 1


@contextmanager
def running_bench():
    """Run a node and a reader of all its topics."""
    with ros_context() as context, node_here(context, service=service) as node:
        rig = Rig(context, topics=TOPICS)
        try:
            assert wait_until(lambda: node.state == 'active')
            yield Bench(node, rig)
        finally:
            rig.close()


def room():
    """Return a slanted wall with a nearer box in front of it and a pixel that hangs between."""
    depth = plane_depth(CAMERA)
    depth[30:40, 20:30] = 1.5
    depth[33, 30] = 2.2
    return depth


def points_in(cloud):
    """Return the values of a cloud as (height, width, channels), after checking its form."""
    channels = len(cloud.fields)
    assert [f.name for f in cloud.fields] == ['x', 'y', 'z', 'rgb'][:channels]
    assert [f.offset for f in cloud.fields] == [0, 4, 8, 12][:channels]
    assert cloud.point_step == 4 * channels
    assert cloud.row_step == cloud.point_step * cloud.width
    assert len(cloud.data) == cloud.row_step * cloud.height
    values = np.frombuffer(cloud.data, np.float32).reshape(cloud.height, cloud.width, channels)
    finite = np.isfinite(values[..., :3]).all(-1)
    assert not cloud.is_dense or finite.all()
    return values


def kept(cloud):
    return np.isfinite(points_in(cloud)[..., 2])


def valid():
    mask = np.ones((CAMERA.height, CAMERA.width), bool)
    mask[:SKY_ROWS] = False
    return mask


def lengths():
    return np.linalg.norm(unproject(decoded(), CAMERA), axis=-1)


def decoded(depth=None):
    """Return the depth that the coded image really says."""
    depth = room() if depth is None else depth
    return (np.rint(depth / CODE) * CODE).astype(np.float32)
