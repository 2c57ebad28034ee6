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

"""~/reconstruct and ~/record_scene: the real node over DDS, with an engine that knows the room."""

import io
import re
import time

from bench.noisy_room import EXACT, NoisyRoom
from depth_anything_ros.core.placement import Placement
from depth_anything_ros.engine.given_views import GivenViewsEngine
from depth_anything_ros.ros.conversions import stamp_ns
from depth_anything_ros.ros.interfaces import ReconstructScene
from depth_anything_ros.service import DepthService, open_service
import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from ros_parts import camera_info, node_here, Rig, ros_context, stamped, wait_until, xyz_of
from sensor_msgs.msg import Image, PointCloud2
from std_srvs.srv import SetBool

pytestmark = pytest.mark.ros
COUNT = 8
ROOM = NoisyRoom(COUNT, EXACT)


def by_pixels(frames):
    """Return the room's views of images that came over a topic."""
    index = {frame.rgb.tobytes(): frame for frame in ROOM.frames}
    return ROOM.views([index[np.ascontiguousarray(frame.rgb).tobytes()] for frame in frames])


def open_room(settings, **arguments):
    return DepthService(
        GivenViewsEngine(by_pixels, **arguments), queue_size=settings.model.queue_size,
        max_megapixels=settings.reconstruction.max_megapixels)


def image_of(index):
    rgb = ROOM.frames[index].rgb
    height, width = rgb.shape[:2]
    message = Image(height=height, width=width, encoding='rgb8', step=3 * width)
    message.data.frombytes(rgb.tobytes())
    return stamped(message, index + 1)


@pytest.fixture
def context():
    with ros_context() as context:
        yield context


@pytest.fixture
def rig(context):
    rig = Rig(context, topics={})
    yield rig
    rig.close()


def call(rig, kind, name, **request):
    client = rig.node.create_client(kind, f'/depth_anything/{name}')
    try:
        assert client.wait_for_service(20)
        future = client.call_async(kind.Request(**request))
        assert wait_until(future.done, 60)
        return future.result()
    finally:
        rig.node.destroy_client(client)


def reconstruct(rig, images, **request):
    return call(rig, ReconstructScene, 'reconstruct', images=images, **request)


def active(node):
    return wait_until(lambda: node.state == 'active')


def test_images_become_a_cloud_poses_and_a_glb(context, rig):
    import trimesh
    with node_here(context, service=open_room) as node:
        assert active(node)
        images = [image_of(index) for index in range(COUNT)]
        answer = reconstruct(rig, images, with_cloud=True, with_glb=True, num_max_points=5000)
        assert (answer.success, answer.code, answer.model) == (True, 'ok', 'noisy room'), \
            answer.message
        assert not answer.metric and 'unknown scale' in answer.scale_law
        assert answer.cloud.header == images[0].header
        assert answer.cloud.width == 5000 and answer.cloud.is_dense
        points = xyz_of(answer.cloud)[0]
        scene = trimesh.load(io.BytesIO(bytes(answer.glb)), file_type='glb')
        assert len(scene.geometry['points'].vertices) == 5000
        np.testing.assert_allclose(
            np.ptp(scene.geometry['points'].vertices, axis=0), np.ptp(points, axis=0), rtol=1e-4)
        poses = np.array([np.vstack([Placement.from_pose(
            '', (pose.position.x, pose.position.y, pose.position.z),
            (pose.orientation.x, pose.orientation.y, pose.orientation.z, pose.orientation.w),
        ).matrix, (0, 0, 0, 1)]) for pose in answer.poses])
        np.testing.assert_allclose(poses[0], np.eye(4), atol=1e-9)
        assert ROOM.camera_errors(poses).max() < 1e-4
        assert [stamp_ns(info.header.stamp) for info in answer.processed_infos] == [
            index + 1 for index in range(COUNT)]
        assert answer.processed_infos[0].k[0] == pytest.approx(ROOM.camera.fx)
        # Nothing that nobody asked for; the node's own setting where the request has none.
        bare = reconstruct(rig, images[:2])
        assert bare.success and not bare.cloud.data and not bare.glb and len(bare.poses) == 2


@pytest.mark.parametrize('images, request_, code, words', [
    ([], {}, 'malformed_message', 'at least one image'),
    ([0, 1], {'camera_infos': [camera_info(ROOM.camera)]}, 'malformed_message',
     '1 camera_infos came with 2 images'),
    ([0], {'voxel_size': -1.0}, 'malformed_message', 'voxel_size'),
    (list(range(COUNT)), {}, 'payload_too_large', '8 images of 84x70')])
def test_what_cannot_be_served_is_refused(context, rig, images, request_, code, words):
    with node_here(
            context, service=open_room, reconstruction__max_megapixels=0.04) as node:
        assert active(node)
        answer = reconstruct(rig, [image_of(index) for index in images], **request_)
        assert (answer.success, answer.code) == (False, code) and words in answer.message


@pytest.mark.parametrize('limit, code', [(0.02, 'payload_too_large'), (1.0, 'ok')])
def test_the_limit_of_pixels_is_the_nodes(context, rig, limit, code):
    # The node's own way of opening a model, by a parameter as a user gives it.
    with node_here(
            context, '-p', f'reconstruction.max_megapixels:={limit}', service=open_service,
            model__name='da3-tiny', model__device='cpu', depth__process_res=168) as node:
        assert active(node)
        answer = reconstruct(rig, [image_of(0)], camera_infos=[camera_info(ROOM.camera, 1)])
        assert answer.code == code, answer.message
        assert len(answer.poses) == (code == 'ok')


def test_a_model_without_poses_says_so(context, rig):
    with node_here(context, service=lambda settings: open_room(
            settings, multi_view=False)) as node:
        assert active(node)
        answer = reconstruct(rig, [image_of(0), image_of(1)])
        assert answer.code == 'malformed_message' and 'one image only, seen 2' in answer.message
        assert reconstruct(rig, [image_of(0)], camera_infos=[camera_info(ROOM.camera)]).success
        recording = call(rig, SetBool, 'record_scene', data=True)
        assert not recording.success and 'predicts no camera poses' in recording.message
        node.trigger_deactivate()
        answer = reconstruct(rig, [image_of(0)])
        assert answer.code == 'not_ready' and 'it is inactive' in answer.message


def play(rig, until, timeout=30.0):
    """Show the room as a camera that turns slowly does, until something is true."""
    begin = time.monotonic()
    while not until():
        elapsed = time.monotonic() - begin
        assert elapsed < timeout
        rig.send(image_of(int(elapsed / 0.4) % COUNT))
        time.sleep(0.05)


def latched(rig, store, topic='/depth_anything/scene/points_relative'):
    return rig.node.create_subscription(
        PointCloud2, topic, store.append,
        QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL))


def test_a_recording_is_published_latched_and_written(context, rig, tmp_path, caplog):
    caplog.set_level('INFO')
    folder = tmp_path / 'scenes'
    with node_here(context, service=open_room, reconstruction__record_keyframes=4,
                   reconstruction__record_seconds=2.0, reconstruction__folder=str(folder),
                   reconstruction__num_max_points=1000) as node:
        assert active(node)
        early = call(rig, SetBool, 'record_scene', data=False)
        assert not early.success and 'no recording is under way' in early.message
        begun = call(rig, SetBool, 'record_scene', data=True)
        assert begun.success and begun.message == 'recording for 2 s or 4 keyframes'
        again = call(rig, SetBool, 'record_scene', data=True)
        assert not again.success and 'under way already' in again.message
        play(rig, lambda: len(list(folder.glob('*'))) == 2)
        # It ends by itself, and lets go of the camera.
        assert wait_until(lambda: rig.node.count_subscribers('image') == 0)
        late = []
        latched(rig, late)
        assert wait_until(lambda: late)
        assert late[0].width == 1000 and late[0].header.frame_id == image_of(0).header.frame_id
        glb, = folder.glob('*.glb')
        ply, = folder.glob('*.ply')
        assert glb.read_bytes()[:4] == b'glTF' and b'vertex 1000' in ply.read_bytes()[:500]
        assert glb.stem == f'scene_{stamp_ns(late[0].header.stamp)}'
        count, = re.findall(r'recorded (\d) keyframes', caplog.text)
        assert 2 <= int(count) <= 4


def test_a_recording_can_be_ended_and_given_up(context, rig, tmp_path, caplog):
    caplog.set_level('INFO')
    (tmp_path / 'file').touch()
    with node_here(context, service=open_room, reconstruction__record_seconds=300.0,
                   reconstruction__record_keyframes=100,
                   reconstruction__folder=str(tmp_path / 'file' / 'scenes')) as node:
        assert active(node)
        clouds = []
        latched(rig, clouds)
        assert call(rig, SetBool, 'record_scene', data=True).success
        assert wait_until(lambda: rig.node.count_subscribers('image') == 1)
        play(rig, lambda: any(
            server._recording._keyframes._best is not None for server in node._servers
            if hasattr(server, '_recording')))
        assert call(rig, SetBool, 'record_scene', data=False).success
        assert wait_until(lambda: clouds)
        assert wait_until(lambda: 'is published, but was not written into' in caplog.text)
        assert call(rig, SetBool, 'record_scene', data=True).success
        node.trigger_deactivate()
        assert wait_until(lambda: rig.node.count_subscribers('image') == 0)
        assert wait_until(lambda: 'the recording was given up' in caplog.text)
    assert len(clouds) == 1


def test_a_recording_without_images_or_camera_says_so(context, rig, caplog):
    with node_here(context, service=open_room, reconstruction__record_seconds=0.3) as node:
        assert active(node)
        assert call(rig, SetBool, 'record_scene', data=True).success
        assert wait_until(lambda: 'no image came on /image within 0.3 s' in caplog.text)
    with node_here(context, service=open_room, cameras=('left', 'right'),
                   reconstruction__record_camera='front') as node:
        assert active(node)
        answer = call(rig, SetBool, 'record_scene', data=True)
        assert not answer.success and "'front' is none of left, right" in answer.message
