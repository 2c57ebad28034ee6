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

"""Small bags, written for the tests."""

from dataclasses import dataclass, replace

import cv2
from depth_anything_ros.bags.conversion import Conversion, Plan, WINDOW
from depth_anything_ros.bags.library import (
    CAMERA_INFO,
    COMPRESSED_IMAGE,
    HEADER,
    IMAGE,
    Reader,
    REGION,
    StoragePlugin,
    STORE,
    TIME,
    Writer,
)
from depth_anything_ros.bags.outputs import asked_for, choose_outputs, types_of
from depth_anything_ros.bags.reading import InputBag
from depth_anything_ros.bags.writing import OutputBag
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.image_encodings import to_rgb
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.service import DepthService
import numpy as np

WIDTH, HEIGHT = 64, 48
IMAGE_TOPIC, INFO_TOPIC = '/camera/image_raw', '/camera/camera_info'
START_NS, PERIOD_NS = 1_700_000_000_123_456_789, 100_000_000
RECEIVED_AFTER_NS = 7_000_001


@dataclass(frozen=True)
class Message:
    """What is written to a bag."""

    topic: str
    kind: str
    time_ns: int
    data: bytes


def make(name, **fields):
    return STORE.types[name](**fields)


def header(stamp_ns, frame_id='camera_optical'):
    sec, nanosec = divmod(stamp_ns, 10 ** 9)
    return make(HEADER, stamp=make(TIME, sec=sec, nanosec=nanosec), frame_id=frame_id)


def stamp(index):
    return START_NS + index * PERIOD_NS


def received(index):
    return stamp(index) + RECEIVED_AFTER_NS


def picture(index, width=WIDTH, height=HEIGHT):
    """Return a smooth picture whose red tells its number."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[..., 0] = 10 * (index % 25 + 1)
    rgb[..., 1] = np.linspace(0, 255, width).astype(np.uint8)
    rgb[..., 2] = np.linspace(0, 255, height).astype(np.uint8)[:, None]
    return rgb


def given_depth(frame):
    """Return a depth that grows with the number of the picture and to the right, with a hole."""
    depth = np.full(frame.rgb.shape[:2], frame.rgb[0, 0, 0] / 10, np.float32)
    depth += np.linspace(0, 0.5, depth.shape[1], dtype=np.float32)
    depth[:4, :4] = np.nan
    return depth


def serialised(topic, kind, time_ns, message):
    return Message(topic, kind, time_ns, bytes(STORE.serialize_cdr(message, kind)))


def image(index, topic=IMAGE_TOPIC, *, encoding='rgb8', pad=0):
    rgb = picture(index)
    pixels = rgb if encoding == 'rgb8' else np.ascontiguousarray(rgb[..., ::-1])
    rows = np.pad(pixels.reshape(HEIGHT, -1), ((0, 0), (0, pad)))
    return serialised(topic, IMAGE, received(index), make(
        IMAGE, header=header(stamp(index)), height=HEIGHT, width=WIDTH, encoding=encoding,
        is_bigendian=0, step=rows.shape[1], data=rows.reshape(-1)))


def compressed(index, topic, ending='.jpg', name='bgr8; jpeg compressed bgr8', keep=None):
    done, data = cv2.imencode(ending, picture(index)[..., ::-1])
    assert done
    return serialised(topic, COMPRESSED_IMAGE, received(index), make(
        COMPRESSED_IMAGE, header=header(stamp(index)), format=name, data=data.reshape(-1)[:keep]))


def camera_info(
    index, topic=INFO_TOPIC, *, focal=50.0, late_ns=0, off_ns=0, size=(WIDTH, HEIGHT), d=0.0,
    frame_id='camera_optical',
):
    width, height = size
    k = [focal, 0, width / 2, 0, focal, height / 2, 0, 0, 1]
    p = [focal, 0, width / 2, 0, 0, focal, height / 2, 0, 0, 0, 1, 0]
    return serialised(topic, CAMERA_INFO, received(index) + late_ns, make(
        CAMERA_INFO, header=header(stamp(index) + off_ns, frame_id), height=height, width=width,
        distortion_model='plumb_bob', d=np.full(5, d), k=np.array(k, float),
        r=np.eye(3).reshape(9), p=np.array(p, float), binning_x=0, binning_y=0,
        roi=make(REGION, x_offset=0, y_offset=0, height=0, width=0, do_rectify=False)))


def write_bag(path, messages, storage='sqlite3'):
    """Write a bag; the messages may come in any order."""
    with Writer(path, version=8, storage_plugin=StoragePlugin[storage.upper()]) as writer:
        connections = {}
        for item in messages:
            if item.topic not in connections:
                connections[item.topic] = writer.add_connection(
                    item.topic, item.kind, typestore=STORE)
            writer.write(connections[item.topic], item.time_ns, item.data)
    return path


def camera_bag(path, count=8, storage='sqlite3', **info):
    """Write a bag of images with a CameraInfo each."""
    messages = [item for index in range(count)
                for item in (image(index), camera_info(index, **info))]
    return write_bag(path, messages, storage)


def read_bag(path):
    """Return {topic: [(time, bytes), ...]} of a bag."""
    found = {}
    with Reader(path) as reader:
        for connection, time_ns, data in reader.messages():
            found.setdefault(connection.topic, []).append((time_ns, bytes(data)))
    return found


def read_messages(path, topic):
    """Return the messages of a topic."""
    with Reader(path) as reader:
        kinds = {item.topic: item.msgtype for item in reader.connections}
    return [STORE.deserialize_cdr(data, kinds[topic]) for _, data in read_bag(path).get(topic, [])]


def convert(source, output, *, kind=DepthKind.METRIC, topics=(), notes=None, progress=None,
            options=None, depth_of=given_depth, decode=to_rgb, engine=None, **plan):
    """Convert a bag with a given depth and return the summary."""
    engine = engine or GivenDepthEngine(depth_of, kind=kind)
    outputs = choose_outputs(topics, engine.info)
    values = {'image': IMAGE_TOPIC, 'info': INFO_TOPIC, **plan}
    whole = Plan(outputs=outputs, **values)
    options = replace(options or FrameOptions(), outputs=asked_for(outputs))
    service = DepthService(engine, queue_size=WINDOW)
    names = types_of(outputs, whole.namespace)
    try:
        with InputBag(source) as bag, OutputBag(output, bag.storage, names) as target:
            return Conversion(
                bag, target, service, whole, options, decode,
                say=[].append if notes is None else notes.append,
                progress=progress or (lambda summary: None)).run()
    finally:
        service.close()
