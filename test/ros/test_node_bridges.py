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

"""Bridges inside the node: one model for topics and sockets, fairly, from configure to cleanup."""

from contextlib import contextmanager
import json
from pathlib import Path
import signal
import socket
import time

from depth_anything_ros.bridges.from_settings import bridges_of
from depth_anything_ros.clients import TcpClient, ZmqClient, ZmqSubscriber
from depth_anything_ros.core.camera import Intrinsics
import numpy as np
import pytest
from ros_parts import (
    camera_info,
    coded_image,
    exact_service,
    node_here,
    Process,
    Rig,
    ros_context,
    wait_until,
)
from sensor_msgs.msg import Image

pytest.importorskip('zmq')
pytestmark = pytest.mark.ros

CAMERA = Intrinsics(40.0, 40.0, 19.5, 14.5, 40, 30)
DEPTH = np.linspace(1, 9, 1200, dtype=np.float32).reshape(30, 40)
FLOOD = str(Path(__file__).with_name('request_flood.py'))
BOTH = {'bridges__zmq__enabled': True, 'bridges__zmq__port': 0,
        'bridges__tcp__enabled': True, 'bridges__tcp__port': 0}


@contextmanager
def rigged(topics=()):
    with ros_context() as context:
        rig = Rig(context, topics=dict.fromkeys(topics, Image))
        try:
            yield rig
        finally:
            rig.close()


def port_of(address):
    return int(address.rpartition(':')[2])


def rgb_of(message):
    return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 3)


def test_topics_and_sockets_share_one_model():
    made = []

    def service(settings):
        made.append(exact_service(settings))
        return made[-1]

    with rigged(['depth/image']) as rig, node_here(
            rig.node.context, service=service, companions=bridges_of, **BOTH) as node:
        assert wait_until(lambda: node.state == 'active' and rig.connected())
        image = coded_image(DEPTH, stamp=10 ** 9)
        published = rig.ask(image, camera_info(CAMERA, 10 ** 9))['depth/image']
        expected = np.frombuffer(published.data, np.float32).reshape(30, 40)
        addresses = node.addresses()
        with ZmqClient(addresses['zmq']) as zmq, \
                TcpClient('127.0.0.1', port_of(addresses['tcp'])) as tcp:
            for client in (zmq, tcp):
                np.testing.assert_array_equal(
                    client.metres(rgb_of(image), CAMERA.matrix()), expected)
        assert len(made) == 1


def test_the_bridges_are_there_from_configure_to_cleanup_and_their_ports_free_after():
    with rigged() as rig, node_here(
            rig.node.context, '-p', 'node.autostart:=false', companions=bridges_of,
            **BOTH) as node:
        for _ in range(2):
            assert not node.addresses()
            node.trigger_configure()
            ports = [port_of(address) for address in node.addresses().values()]
            assert len(ports) == 2
            with TcpClient('127.0.0.1', ports[1]) as client:
                client.ping()
            node.trigger_activate()
            node.trigger_deactivate()
            with ZmqClient(f'tcp://127.0.0.1:{ports[0]}') as client:
                client.ping()
            node.trigger_cleanup()
            for port in ports:
                with socket.socket() as free:
                    free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    free.bind(('127.0.0.1', port))


def test_a_port_in_use_is_a_clear_error_and_nothing_stays_open(capfd):
    with socket.socket() as taken, rigged() as rig:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        port = taken.getsockname()[1]
        with node_here(
                rig.node.context, companions=bridges_of,
                **{**BOTH, 'bridges__tcp__port': port}) as node:
            assert wait_until(lambda: node.exit_code == 1)
            assert node.state == 'unconfigured' and not node.addresses()
    said = capfd.readouterr().err
    assert f'bridges.tcp.port: cannot listen on 127.0.0.1 port {port}: the port is in use' in said


def test_a_program_without_ros_follows_a_camera_that_nobody_else_reads():
    with rigged() as rig, node_here(
            rig.node.context, companions=bridges_of, bridges__pub__enabled=True,
            bridges__pub__port=0) as node:
        assert wait_until(lambda: node.state == 'active')
        image = rig.node.resolve_topic_name('image')
        assert not rig.node.count_subscribers(image)
        with ZmqSubscriber(node.addresses()['pub'], output='points', timeout=0.2) as subscriber:
            # Who follows is a reader: the camera is subscribed to, and left alone afterwards.
            assert wait_until(lambda: rig.node.count_subscribers(image) == 1)
            assert wait_until(rig.connected)
            seen = []

            def follow():
                rig.send(coded_image(DEPTH, stamp=5), camera_info(CAMERA, 5))
                seen.extend(subscriber)
                return seen

            assert wait_until(follow)
        np.testing.assert_allclose(seen[-1].reply.depth, DEPTH, atol=1e-4)
        np.testing.assert_array_equal(seen[-1].reply.cloud[..., 2], seen[-1].reply.depth)
        assert (seen[-1].reply.stamp_ns, seen[-1].reply.frame_id, seen[-1].camera) == (
            5, 'camera_optical_frame', 'camera')
        assert wait_until(lambda: rig.node.count_subscribers(image) == 0)


def frames_published(rig, node, seconds):
    """Send 30 images a second for some time and return how many depths come of them."""
    before = node.counts().published
    image, info = coded_image(DEPTH), camera_info(CAMERA)
    start = time.monotonic()
    for count in range(round(30 * seconds)):
        stamp = time.time_ns()
        for message in (image, info):
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 10 ** 9)
        rig.send(image, info)
        time.sleep(max(0.0, start + (count + 1) / 30 - time.monotonic()))
    return node.counts().published - before


ROUNDS = 4


@pytest.mark.parametrize('delay', [0.025])
def test_a_stream_beside_a_flood_of_requests_keeps_its_rate(delay):
    def service(settings):
        return exact_service(settings, delay=delay)

    with rigged(['depth/image']) as rig, node_here(
            rig.node.context, service=service, companions=bridges_of, **BOTH) as node:
        assert wait_until(lambda: node.state == 'active' and rig.connected())
        rig.ask(coded_image(DEPTH, stamp=5), camera_info(CAMERA, 5))
        # Other processes of the machine can only make it worse: one fair round is the proof.
        for _ in range(ROUNDS):
            alone = frames_published(rig, node, 3)
            done = node._service.statistics().done
            with Process(FLOOD, node.addresses()['zmq'], '5') as flood:
                assert flood.says('flooding')
                assert wait_until(lambda done=done: node._service.statistics().done > done + 3)
                beside = frames_published(rig, node, 3)
                assert wait_until(lambda: flood.lines[-1].startswith('{')), flood.lines
                counts = json.loads(flood.lines[-1])
                flood.end(signal.SIGTERM)
            if beside >= 0.8 * alone and alone >= 30:
                break
        assert beside >= 0.8 * alone, (beside, alone, counts)
        assert counts['done'] >= 10 and counts['busy'] >= 100, counts
        assert set(counts) == {'done', 'busy'}, counts
        assert alone >= 30
