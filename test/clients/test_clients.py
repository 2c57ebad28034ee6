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

"""The clients against real bridges: typed results, errors as raised, time outs."""

from __future__ import annotations

from contextlib import contextmanager
import socket
import threading

from bridge_parts import Gate, PATIENCE_S, picture, running
import cv2
from depth_anything_ros.bridges.access import Access
from depth_anything_ros.bridges.tcp import TcpBridge
from depth_anything_ros.bridges.zeromq import ZmqBridge
from depth_anything_ros.clients import TcpClient, ZmqClient
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.geometry import unproject
from depth_anything_ros.core.options import PER_PIXEL
from depth_anything_ros.errors import (
    DeadlineExceeded,
    DepthAnythingError,
    InvalidImage,
    InvalidIntrinsics,
    InvalidRequest,
    NotReady,
    Unauthorized,
    UnsupportedEncoding,
)
from depth_anything_ros.wire.status import error_of
import numpy as np
import pytest

K = np.array([[70.0, 0, 39.5], [0, 72.0, 29.5], [0, 0, 1]])
BOTH = pytest.mark.parametrize('kind', ['zmq', 'tcp'])


@contextmanager
def talking(kind, access=None, timeout=PATIENCE_S, api_key='', depth=None,
            depth_kind=DepthKind.CANONICAL):
    bridge = (ZmqBridge if kind == 'zmq' else TcpBridge)(access, 0)
    with running(bridge, depth, depth_kind), client_of(kind, bridge, timeout, api_key) as client:
        yield client, bridge


def client_of(kind, bridge, timeout=PATIENCE_S, api_key=''):
    if kind == 'zmq':
        return ZmqClient(bridge.address, timeout=timeout, api_key=api_key)
    return TcpClient('127.0.0.1', bridge.port, timeout=timeout, api_key=api_key)


@BOTH
def test_a_typed_result_with_units_and_camera(kind):
    image = np.full((60, 80, 3), 7, np.uint8)
    with talking(kind) as (client, _):
        client.ping()
        reply = client.estimate(image, K, outputs=PER_PIXEL)
        assert reply.units == 'm' and reply.kind is DepthKind.METRIC and reply.model == 'given'
        assert reply.depth.shape == (60, 80) and reply.depth.dtype == np.float32
        np.testing.assert_allclose(reply.intrinsics.matrix(), K)
        assert reply.cloud.shape == (60, 80, 4) and reply.preview.shape == (60, 80, 3)
        metres = client.metres(image, K)
        np.testing.assert_array_equal(metres, reply.depth)
        np.testing.assert_array_equal(
            client.points(image, K), unproject(metres, reply.intrinsics))
        np.testing.assert_array_equal(reply.points(), client.points(image, K))
        by_focal = client.estimate(image, focal_length=71.0)
        assert by_focal.intrinsics.fx == 71.0
        assert np.isnan(client.metres(image, K, maximum=0.001)).all()


@BOTH
def test_encoded_pictures_grey_and_alpha(kind):
    image = picture()
    encoded = cv2.imencode('.png', image[..., ::-1])[1].tobytes()
    with talking(kind) as (client, _):
        expected = client.metres(image, K)
        np.testing.assert_array_equal(client.metres(encoded, K), expected)
        np.testing.assert_array_equal(
            client.metres(np.dstack([image, image[..., 0]]), K), expected)
        assert client.metres(image[..., 0], K).shape == (60, 80)


@BOTH
def test_errors_come_back_as_they_were_raised(kind):
    with talking(kind) as (client, _):
        with pytest.raises(InvalidIntrinsics, match='focal length'):
            client.estimate(picture())
        with pytest.raises(InvalidImage, match='float64'):
            client.estimate(np.zeros((4, 4, 3)), K)
        with pytest.raises(UnsupportedEncoding):
            client.estimate(b'no picture', K)
        with pytest.raises(InvalidRequest, match='process_res'):
            client.estimate(picture(), K, process_res=5)
        client.ping()


@BOTH
def test_a_relative_model_has_no_metres(kind):
    with talking(kind, depth_kind=DepthKind.RELATIVE) as (client, _):
        assert client.estimate(picture(), K).units == 'relative'
        for ask in (client.metres, client.points):
            with pytest.raises(InvalidRequest, match='no unit'):
                ask(picture(), K)


@BOTH
def test_the_key(kind):
    with talking(kind, Access(key='secret'), api_key='secret') as (client, bridge):
        client.metres(picture(), K)
        with client_of(kind, bridge) as other:
            other.ping()
            with pytest.raises(Unauthorized):
                other.estimate(picture(), K)


@BOTH
def test_a_late_reply_is_given_up_and_not_taken_for_another(kind):
    gate = Gate()
    with talking(kind, timeout=0.2, depth=gate) as (client, _):
        with pytest.raises(DeadlineExceeded, match=r'within 0\.2 s'):
            client.estimate(picture(1), K)
        gate.opened.set()
        client.timeout = PATIENCE_S
        image = np.full((60, 80, 3), 9, np.uint8)
        first, second = client.metres(image, K), client.metres(picture(2), K)
        assert np.ptp(first) == 0 and np.ptp(second) > 0


def test_no_server():
    with socket.create_server(('127.0.0.1', 0)) as free:
        port = free.getsockname()[1]
    with TcpClient('127.0.0.1', port) as client, pytest.raises(NotReady, match='no server'):
        client.ping()
    with ZmqClient(f'tcp://127.0.0.1:{port}', timeout=0.1) as client, \
            pytest.raises(DeadlineExceeded):
        client.ping()


def test_a_server_that_goes_away_and_comes_back():
    bridge = TcpBridge(port=0)
    with running(bridge):
        client = TcpClient('127.0.0.1', bridge.port, timeout=PATIENCE_S)
        client.ping()
    with pytest.raises(NotReady):
        client.ping()
    with running(TcpBridge(port=bridge.port)):
        client.ping()
        client.close()


def test_many_clients_of_both_kinds():
    wrong = []
    zmq_bridge, tcp_bridge = ZmqBridge(port=0), TcpBridge(port=0)

    def work(kind, bridge, value):
        image = np.full((60, 80, 3), value, np.uint8)
        with client_of(kind, bridge) as client:
            for _ in range(5):
                if np.ptp(client.metres(image, K)) != 0:
                    wrong.append(value)

    with running(zmq_bridge), running(tcp_bridge):
        threads = [
            threading.Thread(target=work, args=(kind, bridge, 10 * number))
            for number in range(3)
            for kind, bridge in (('zmq', zmq_bridge), ('tcp', tcp_bridge))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


def test_error_codes_name_classes():
    assert type(error_of('busy', 'full')).__name__ == 'Busy'
    assert type(error_of('invalid_image', 'x')) is InvalidImage
    assert type(error_of('strange', 'x')) is DepthAnythingError
    assert type(error_of(None, None)) is DepthAnythingError
