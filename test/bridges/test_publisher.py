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

"""The ZMQ topic: the newest results, with what was missed, and nothing for nobody."""

from contextlib import contextmanager
import gc
import json
import os
import time
import weakref

from bridge_parts import PATIENCE_S
from depth_anything_ros.bridges.access import Access
from depth_anything_ros.bridges.curve import curve_of
from depth_anything_ros.bridges.from_settings import bridges_of
from depth_anything_ros.bridges.publisher import ZmqPublisher
from depth_anything_ros.clients import ZmqSubscriber
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind, FocalSource
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import Output
from depth_anything_ros.core.placement import Placement
from depth_anything_ros.core.result import DepthResult, ScaleLaw
from depth_anything_ros.errors import ConfigError, DeadlineExceeded, InvalidRequest
from depth_anything_ros.settings import changed, Settings
from depth_anything_ros.wire.following import (
    followed,
    followed_message,
    from_topic,
    to_topic,
    topic_of,
)
from depth_anything_ros.wire.message import Message
import numpy as np
import pytest
import zmq
import zmq.auth


def result(number=0, size=(6, 8), cloud=None, placement=None):
    height, width = size
    frame = Frame(np.zeros((height, width, 3), np.uint8), 1000 + number, 'optical',
                  placement=placement)
    return DepthResult(
        frame, np.full(size, number, np.float32),
        ScaleLaw(DepthKind.METRIC, 1.0, 0.0, FocalSource.NONE), 'given',
        Intrinsics(5.0, 5.0, 4.0, 3.0, width, height), cloud=cloud)


def wait_until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, 'waited in vain'
        time.sleep(0.002)


@contextmanager
def publishing(**arguments):
    publisher = ZmqPublisher(port=0, **arguments)
    publisher.listen()
    publisher.start(None)
    try:
        yield publisher
    finally:
        publisher.stop()


@contextmanager
def following(publisher, camera='', output=Output.DEPTH, **arguments):
    """Yield a subscriber whose subscription has come to the publisher."""
    with ZmqSubscriber(publisher.address, camera, output, timeout=PATIENCE_S,
                       **arguments) as subscriber:
        wait_until(lambda: Output(output) in publisher.wanted(camera))
        yield subscriber


def test_the_newest_results_come_with_all_that_is_known_about_them():
    with publishing() as publisher, following(publisher) as subscriber:
        for number in range(3):
            publisher.publish('', result(number))
            seen = subscriber.receive()
            assert (seen.sequence, seen.dropped, seen.camera) == (number + 1, 0, 'camera')
            assert seen.output is Output.DEPTH and seen.reply.units == 'm'
            assert seen.reply.stamp_ns == 1000 + number and seen.reply.frame_id == 'optical'
            np.testing.assert_array_equal(seen.reply.depth, result(number).depth)
            assert seen.reply.intrinsics == result().intrinsics
            assert seen.reply.points().shape == (6, 8, 3)
        assert subscriber.missed == 0


def test_nothing_is_made_for_nobody_and_only_what_is_followed():
    with publishing() as publisher:
        assert not publisher.wanted('') and not publisher.wanted('front')
        alone = result()
        gone = weakref.ref(alone)
        publisher.publish('', alone)
        del alone
        gc.collect()
        assert gone() is None
        with following(publisher, 'front', 'points'):
            assert publisher.wanted('front') == {Output.POINTS}
            assert not publisher.wanted('front2') and not publisher.wanted('')
            with following(publisher, 'front', 'depth'):
                assert publisher.wanted('front') == {Output.POINTS, Output.DEPTH}
        wait_until(lambda: not publisher.wanted('front'))


@pytest.mark.parametrize('shape', [(6, 8, 4), (48, 4), (48, 3), (3, 4, 3)])
def test_clouds_organised_or_listed_with_their_frame(shape):
    cloud = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    place = Placement('base_link', tuple(map(tuple, np.eye(4)[:3])))
    with publishing() as publisher, following(publisher, 'front', 'points') as subscriber:
        # A result without a cloud, because its rate is limited, is none of this topic.
        publisher.publish('front', result(1))
        publisher.publish('front', result(2, cloud=cloud, placement=place))
        seen = subscriber.receive()
        np.testing.assert_array_equal(seen.reply.cloud, cloud)
        assert seen.sequence == 1 and seen.cloud_frame_id == 'base_link'
        assert seen.reply.frame_id == 'optical'


def test_old_results_make_way_and_are_counted():
    with publishing() as publisher, following(publisher) as subscriber:
        publisher.publish('', result(0))
        assert subscriber.receive().sequence == 1
        for number in range(1, 200):
            publisher.publish('', result(number, (60, 80)))
        # The last of them may have found the line full; one that comes later finds it free.
        received, sent, last = 1, 200, subscriber.receive()
        while last.sequence < 200:
            received += 1
            sent += 1
            publisher.publish('', result(sent - 1, (60, 80)))
            last = subscriber.receive()
        assert received + 1 + subscriber.missed == last.sequence and subscriber.missed > 0
        np.testing.assert_array_equal(
            last.reply.depth, np.full((60, 80), last.sequence - 1, np.float32))


def resident():
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')


def test_a_subscriber_that_does_not_read_is_not_waited_for_and_not_buffered():
    with publishing() as publisher, following(publisher) as reader, following(publisher):
        before = resident()
        for number in range(300):
            publisher.publish('', result(number, (480, 640)))
            if number % 10 == 0:
                seen = reader.receive()
        for number in range(300, 10_000):
            publisher.publish('', result(number, (480, 640)))
            seen = reader.receive()
            if seen.sequence > 300:
                break
        # 300 depths are 370 MB.
        assert resident() - before < 150e6
        wait_until(lambda: not publisher._newest)


def test_curve_keeps_strangers_away(tmp_path):
    for name in ('server', 'robot'):
        zmq.auth.create_certificates(tmp_path, name)
    known = tmp_path / 'known'
    known.mkdir()
    (tmp_path / 'robot.key').rename(known / 'robot.key')
    curve = curve_of(tmp_path / 'server.key_secret', known, {})
    with publishing(curve=curve, access=Access('127.0.0.1')) as publisher:
        with following(publisher, server_key=tmp_path / 'server.key',
                       client_key=tmp_path / 'robot.key_secret') as subscriber, \
                ZmqSubscriber(publisher.address, timeout=0.2) as stranger:
            publisher.publish('', result(7))
            assert subscriber.receive().reply.depth[0, 0] == 7
            assert not list(stranger)
            with pytest.raises(DeadlineExceeded, match='nothing from'):
                stranger.receive()


def test_an_open_topic_needs_known_clients_or_a_spoken_word():
    with pytest.raises(ConfigError, match='cannot ask for a key'):
        ZmqPublisher(Access('0.0.0.0', key='secret'))
    ZmqPublisher(Access('0.0.0.0', allow_anonymous=True))


def test_settings_and_ports():
    def made(port):
        return bridges_of(changed(Settings(), {
            'bridges.pub.enabled': True, 'bridges.pub.port': port}), {})['pub']

    first = made(0)
    first.listen()
    second = made(first.port)
    with pytest.raises(OSError, match='the port is in use'):
        second.listen()
    first.stop()
    second.listen()
    assert second.port == first.port
    second.start(None)
    second.stop()
    assert 'pub' not in bridges_of(Settings(), {})


def test_the_bytes_of_a_message():
    topic = topic_of('front', Output.DEPTH)
    assert topic == b'front/depth\0' and topic_of('', Output.POINTS) == b'camera/points\0'
    data = to_topic(topic, followed_message(result(3, (1, 2)), 'front', Output.DEPTH, 5, 1))
    assert data[:64] == b'front/depth' + bytes(53) and data[64:68] == b'DAR1'
    size = int.from_bytes(data[68:72], 'little')
    header = json.loads(data[72:72 + size])
    assert (header['camera'], header['output'], header['sequence'], header['dropped']) == (
        'front', 'depth', 5, 1)
    assert header['type'] == 'depth_result' and header['cloud_frame_id'] == 'optical'
    assert header['arrays'] == [{'name': 'depth', 'dtype': 'float32', 'shape': [1, 2]}]
    assert data[72 + size:] == b'\0\0\x40\x40' * 2 + bytes(56)
    long = topic_of('c' * 250, Output.CONFIDENCE)
    assert followed(from_topic(to_topic(long, from_topic(data)))).sequence == 5
    for broken in (b'', b'front/depth', data[:64], data[:80], b'x' * 1000, data + b'x'):
        with pytest.raises(InvalidRequest):
            from_topic(broken)


@pytest.mark.parametrize('wrong', [
    {'output': 'nothing'}, {'sequence': -1}, {'sequence': '1'}, {'dropped': None},
    {'camera': 3}, {'cloud_frame_id': None}])
def test_what_is_no_message_of_a_topic_is_refused(wrong):
    message = followed_message(result(), 'front', Output.DEPTH, 1, 0)
    assert followed(message).camera == 'front'
    with pytest.raises(InvalidRequest):
        followed(Message({**message.header, **wrong}, message.arrays))
