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

"""Z10 on a real ROUTER: cameras, batches, and posed images of one scene."""

from __future__ import annotations

from bridge_parts import depth_of, picture, running
from depth_anything_ros.bridges.zeromq import ZmqBridge
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.multi_view import Views
from depth_anything_ros.core.result import ScaleLaw
from depth_anything_ros.engine.given_views import GivenViewsEngine
import numpy as np
import pytest
from zmq_parts import ask, client, inference, K


@pytest.fixture(scope='module')
def address():
    with running(ZmqBridge(port=0)) as bridge:
        yield bridge.address


def test_z10_replies_carry_the_intrinsics_of_their_pixels(address):
    reply = ask(address, inference(picture(), intrinsics=K))
    found = reply['intrinsics']
    assert found.dtype == np.float32 and found.shape == (3, 3)
    np.testing.assert_allclose(found, np.diag([0.25, 0.25, 1]) @ K, rtol=1e-6)
    assert ask(address, inference(picture()))['intrinsics'] is None


def test_z10_batches(address):
    images = [picture(1), picture(2, 40, 60), picture(3)]
    request = {'command': 'inference_batch', 'images': images, 'process_res': 504}
    reply = ask(address, request)
    assert reply['status'] == 'success' and reply['intrinsics'] == [None] * 3
    for image, depth in zip(images, reply['depth'], strict=True):
        np.testing.assert_array_equal(depth, depth_of(image))
    reply = ask(address, {**request, 'intrinsics': [K] * 3})
    assert all(found.shape == (3, 3) for found in reply['intrinsics'])
    for wrong in ({'images': []}, {'images': picture()}, {'intrinsics': [K]},
                  {'extrinsics': [np.eye(4)] * 3}, {'images': [picture()] * 40}):
        assert ask(address, {**request, **wrong})['status'] == 'error'


def test_z10_set_intrinsics_belongs_to_one_client(address):
    several = {'command': 'inference', 'images': [picture()], 'extrinsics': np.eye(4)[None]}
    with client(address) as one, client(address) as other:
        def tell(socket, request):
            socket.send_pyobj(request)
            return socket.recv_pyobj()
        before = tell(one, several)
        assert before['error'] == 'Intrinsics not set. Call set_intrinsics first.'
        wrong = tell(one, {'command': 'set_intrinsics', 'intrinsics': np.eye(2)})
        assert 'ndarray' in wrong['error'] and '(2, 2)' in wrong['error']
        assert tell(one, {'command': 'set_intrinsics', 'intrinsics': K}) == {'status': 'success'}
        assert tell(one, inference(picture()))['intrinsics'] is not None
        assert tell(other, inference(picture()))['intrinsics'] is None
        # Several posed images need a multi-view engine; that is said, not faked.
        assert 'makes no reconstructions' in tell(one, several)['error']


def scene_of(frames):
    """Return views as a model sees them: in a world of its own, at half the scale."""
    count = len(frames)
    extrinsics = np.tile(np.eye(4)[:3], (count, 1, 1))
    extrinsics[:, 0, 3] = -0.5 * np.arange(count)
    depth = np.stack([depth_of(frame.rgb) for frame in frames])
    height, width = depth.shape[1:]
    cameras = np.stack([frame.intrinsics.resized(width, height).matrix() for frame in frames])
    return Views(
        np.zeros((*depth.shape, 3), np.uint8), depth, cameras, extrinsics,
        ScaleLaw(DepthKind.METRIC), 'scene', confidence=depth + 1)


def test_z10_c_posed_images_of_a_scene():
    # The client's world is turned a quarter about z and moved; the cameras are 1 m apart in it.
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    poses = np.tile(np.eye(4), (3, 1, 1))
    poses[:, :3, :3] = turn.T
    centres = np.array([5.0, 6, 7]) + np.arange(3)[:, None] * turn[:, 0]
    poses[:, :3, 3] = -centres @ turn
    images = [picture(seed) for seed in range(3)]
    request = {'command': 'inference', 'images': images, 'extrinsics': poses}
    engine = GivenViewsEngine(scene_of)
    with running(ZmqBridge(port=0), engine=engine) as bridge, client(bridge.address) as socket, \
            client(bridge.address) as other:
        def tell(socket, request):
            socket.send_pyobj(request)
            return socket.recv_pyobj()
        unset = 'Intrinsics not set. Call set_intrinsics first.'
        assert tell(socket, request) == {
            'status': 'error', 'error': unset, 'code': 'invalid_intrinsics'}
        tell(socket, {'command': 'set_intrinsics', 'intrinsics': K})
        assert tell(other, request)['error'] == unset
        reply = tell(socket, request)
        assert reply['status'] == 'success' and reply['units'] == 'm'
        assert reply['extrinsics'].shape == (3, 3, 4) and reply['extrinsics'].dtype == np.float32
        np.testing.assert_allclose(reply['extrinsics'], poses[:, :3], atol=1e-5)
        # Of the last image, at the scale of the given poses.
        np.testing.assert_allclose(reply['depth'], 2 * depth_of(images[-1]), rtol=1e-5)
        np.testing.assert_array_equal(reply['conf'], depth_of(images[-1]) + 1)
        np.testing.assert_allclose(
            reply['intrinsics'], np.diag([0.25, 0.25, 1]) @ K, rtol=1e-6)
        one = tell(socket, {**request, 'images': images[:1], 'extrinsics': poses[:1]})
        assert one['extrinsics'].shape == (1, 3, 4) and 'do not move' in one['notes'][0]
        scaled = poses.copy()
        scaled[1, :3, :3] *= 2
        for wrong, words in (
                ({'extrinsics': None}, 'extrinsics are NoneType; accepted: an array (3, 4, 4)'),
                ({'extrinsics': poses[:2]}, 'extrinsics are float64 (2, 4, 4)'),
                ({'extrinsics': poses[:, :3]}, '(3, 3, 4)'), ({'extrinsics': scaled}, 'no rigid'),
                ({'extrinsics': poses * np.nan}, 'no rigid'),
                ({'extrinsics': poses[::-1]}, 'do not fit'), ({'images': []}, 'a list of 1'),
                ({'images': [picture()] * 40}, 'at most 32')):
            assert words in tell(socket, {**request, **wrong})['error'], words


def test_z10_c_a_model_of_single_images_says_so():
    engine = GivenViewsEngine(scene_of, multi_view=False)
    with running(ZmqBridge(port=0), engine=engine) as bridge, client(bridge.address) as socket:
        socket.send_pyobj({'command': 'set_intrinsics', 'intrinsics': K})
        socket.recv_pyobj()
        socket.send_pyobj({'command': 'inference', 'images': [picture()] * 2,
                           'extrinsics': np.tile(np.eye(4), (2, 1, 1))})
        assert 'predicts no camera poses' in socket.recv_pyobj()['error']
