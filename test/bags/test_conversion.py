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

"""Bags in and out: every frame, its header, its receive time, and what went wrong."""

import resource
import threading

from bag_parts import (
    camera_bag,
    camera_info,
    compressed,
    convert,
    given_depth,
    HEIGHT,
    image,
    IMAGE_TOPIC,
    Message,
    picture,
    read_bag,
    read_messages,
    received,
    stamp,
    WIDTH,
    write_bag,
)
from depth_anything_ros.bags.conversion import WINDOW
from depth_anything_ros.bags.library import IMAGE
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.image_encodings import to_rgb
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.core.pointcloud import organised_cloud
from depth_anything_ros.core.preview import colourise
from depth_anything_ros.errors import DepthAnythingError
import numpy as np
import pytest

CAMERA = Intrinsics(50.0, 50.0, WIDTH / 2, HEIGHT / 2, WIDTH, HEIGHT)


def stamps_of(messages):
    return [item.header.stamp.sec * 10 ** 9 + item.header.stamp.nanosec for item in messages]


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
def test_every_frame_comes_out_with_its_header_and_receive_time(tmp_path, storage):
    source = camera_bag(tmp_path / 'in', 10, storage)
    summary = convert(source, tmp_path / 'out')
    assert (summary.read, summary.written, summary.failed, summary.exact) == (10, 10, 0, 10)
    assert summary.recorded == pytest.approx(0.9)
    raw = read_bag(tmp_path / 'out')
    assert set(raw) == {'/depth/image', '/depth/camera_info', '/depth/points', '/depth/preview'}
    for topic, records in raw.items():
        messages = read_messages(tmp_path / 'out', topic)
        assert [time for time, _ in records] == [received(index) for index in range(10)]
        assert stamps_of(messages) == [stamp(index) for index in range(10)]
        assert {item.header.frame_id for item in messages} == {'camera_optical'}
    assert sorted(item.suffix for item in (tmp_path / 'out').iterdir()) == \
        sorted(['.yaml', '.mcap' if storage == 'mcap' else '.db3'])


def test_the_messages_hold_the_depth_the_cloud_and_the_preview_of_their_own_image(tmp_path):
    convert(camera_bag(tmp_path / 'in', 6), tmp_path / 'out')
    depths = read_messages(tmp_path / 'out', '/depth/image')
    clouds = read_messages(tmp_path / 'out', '/depth/points')
    previews = read_messages(tmp_path / 'out', '/depth/preview')
    infos = read_messages(tmp_path / 'out', '/depth/camera_info')
    for index in range(6):
        depth = given_depth(Frame(picture(index)))
        seen = depths[index]
        assert (seen.encoding, seen.step, seen.height, seen.width) == \
            ('32FC1', 4 * WIDTH, HEIGHT, WIDTH)
        np.testing.assert_array_equal(seen.data.view('<f4').reshape(depth.shape), depth)
        cloud = organised_cloud(depth, CAMERA, picture(index))
        assert bytes(clouds[index].data) == cloud.tobytes()
        assert not clouds[index].is_dense and clouds[index].row_step == 16 * WIDTH
        np.testing.assert_array_equal(
            previews[index].data.reshape(HEIGHT, WIDTH, 3), colourise(depth))
        np.testing.assert_array_equal(infos[index].k, CAMERA.matrix().reshape(9))
        np.testing.assert_array_equal(infos[index].p.reshape(3, 4)[:, :3], CAMERA.matrix())


def test_a_single_mcap_file_is_a_bag(tmp_path):
    source = camera_bag(tmp_path / 'in', 3, 'mcap')
    assert convert(source / 'in.mcap', tmp_path / 'out').written == 3


def test_padded_and_bgr_images_are_read(tmp_path):
    messages = [image(0, encoding='bgr8'), image(1, pad=5), camera_info(0), camera_info(1)]
    convert(write_bag(tmp_path / 'in', messages), tmp_path / 'out')
    for index, cloud in enumerate(read_messages(tmp_path / 'out', '/depth/points')):
        colours = cloud.data.view('<u4').reshape(HEIGHT, WIDTH, 4)[..., 3]
        assert set((colours >> 16).ravel()) == {10 * (index + 1)}


@pytest.mark.parametrize(('ending', 'name'), [('.jpg', 'jpeg'), ('.png', 'rgb8; png compressed ')])
def test_compressed_images_are_read(tmp_path, ending, name):
    topic = IMAGE_TOPIC + '/compressed'
    messages = [compressed(index, topic, ending, name) for index in range(3)]
    messages += [camera_info(index) for index in range(3)]
    summary = convert(write_bag(tmp_path / 'in', messages), tmp_path / 'out', image=topic)
    assert summary.written == 3 and not summary.failed
    for index, depth in enumerate(read_messages(tmp_path / 'out', '/depth/image')):
        assert depth.data.view('<f4')[-WIDTH] == pytest.approx(index + 1, abs=0.3)


def test_what_cannot_be_read_is_counted_and_the_others_go_on(tmp_path):
    topic = IMAGE_TOPIC
    whole = image(2)
    messages = [
        image(0), camera_info(0), camera_info(1), camera_info(2), camera_info(3), camera_info(4),
        Message(topic, IMAGE, received(1), b'\0\1\0\0\1'),
        Message(topic, IMAGE, received(2), whole.data[:len(whole.data) // 2]),
        image(3, encoding='16SC7'), image(4)]
    summary = convert(write_bag(tmp_path / 'in', messages), tmp_path / 'out')
    assert (summary.read, summary.written, summary.failed) == (5, 2, 3)
    assert summary.reasons == {'malformed_message': 2, 'unsupported_encoding': 1}
    assert 'accepted: at least 12' in summary.examples['malformed_message']
    depths = read_messages(tmp_path / 'out', '/depth/image')
    assert stamps_of(depths) == [stamp(0), stamp(4)]


@pytest.mark.parametrize('ending', ['.jpg', '.png'])
def test_a_picture_that_is_cut_off_is_not_filled_with_grey(tmp_path, ending):
    topic = IMAGE_TOPIC + '/compressed'
    messages = [compressed(0, topic, ending), compressed(1, topic, ending, keep=-40)]
    messages += [camera_info(0), camera_info(1)]
    summary = convert(write_bag(tmp_path / 'in', messages), tmp_path / 'out', image=topic)
    assert (summary.written, summary.reasons) == (1, {'invalid_image': 1})
    assert 'cut off' in summary.examples['invalid_image']


def test_a_failing_network_costs_its_frame_only(tmp_path):
    def depth_of(frame):
        if frame.rgb[0, 0, 0] == 30:
            raise RuntimeError('no depth today')
        return given_depth(frame)

    summary = convert(camera_bag(tmp_path / 'in', 5), tmp_path / 'out', depth_of=depth_of)
    assert (summary.written, summary.reasons) == (4, {'internal': 1})
    assert summary.examples['internal'] == 'RuntimeError: no depth today'


def test_a_relative_model_fills_no_topic_in_metres(tmp_path):
    summary = convert(camera_bag(tmp_path / 'in', 2), tmp_path / 'out', kind=DepthKind.RELATIVE)
    assert set(summary.messages) == {'/depth/relative', '/depth/camera_info', '/depth/preview'}
    assert len(read_messages(tmp_path / 'out', '/depth/relative')) == 2


def test_only_the_wanted_topics_are_written_below_the_namespace(tmp_path):
    convert(camera_bag(tmp_path / 'in', 2), tmp_path / 'out', topics=('depth/points',),
            namespace='/front/camera')
    assert set(read_bag(tmp_path / 'out')) == {'/front/camera/depth/points'}


def test_without_a_camera_info_the_field_of_view_counts(tmp_path):
    source = write_bag(tmp_path / 'in', [image(0), image(1)])
    fails = convert(source, tmp_path / 'none', kind=DepthKind.CANONICAL, info=None,
                    needs_camera=True)
    assert fails.reasons == {'invalid_intrinsics': 2}
    assert '--fov' in fails.examples['invalid_intrinsics']
    summary = convert(source, tmp_path / 'out', kind=DepthKind.CANONICAL, info=None,
                      options=FrameOptions(fov_deg=90.0))
    assert summary.written == 2
    depth, _ = read_messages(tmp_path / 'out', '/depth/image')
    assert depth.data.view('<f4')[-WIDTH] == pytest.approx((WIDTH / 2) / 300)


def test_ctrl_c_leaves_a_bag_with_what_was_done(tmp_path):
    def progress(summary):
        if summary.written == 3:
            raise KeyboardInterrupt

    summary = convert(camera_bag(tmp_path / 'in', 30), tmp_path / 'out', progress=progress)
    assert summary.stopped == 'interrupted'
    assert summary.written == summary.read < 30
    assert len(read_messages(tmp_path / 'out', '/depth/image')) == summary.written


def test_a_bag_that_is_damaged_in_the_middle_gives_what_can_be_read(tmp_path):
    source = write_bag(tmp_path / 'in', [
        item for index in range(160) for item in (image(index), camera_info(index))], 'mcap')
    file = source / 'in.mcap'
    data = bytearray(file.read_bytes())
    near_the_end = len(data) * 9 // 10
    data[near_the_end:near_the_end + 12000] = b'\xff' * 12000  # more than one whole record
    file.write_bytes(data)
    summary = convert(source, tmp_path / 'out')
    assert 'cannot be read further' in summary.stopped
    assert 0 < summary.written == summary.read < 160 and not summary.failed
    assert len(read_messages(tmp_path / 'out', '/depth/image')) == summary.written


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
def test_a_disk_that_takes_no_more_ends_the_run_with_an_error(tmp_path, storage):
    source = camera_bag(tmp_path / 'in', 60, storage)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, before[1]))
    try:
        with pytest.raises(DepthAnythingError, match='out cannot be (written|completed)'):
            convert(source, tmp_path / 'out')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_decoding_goes_on_while_the_network_works_but_not_without_end(tmp_path):
    second = threading.Event()
    decoded, written, ahead = [], [0], []

    def decode(*arguments, **options):
        decoded.append(1)
        ahead.append(len(decoded) - written[0])
        if len(decoded) == 2:
            second.set()
        return to_rgb(*arguments, **options)

    def depth_of(frame):
        assert second.wait(30), 'the second image is not decoded while the first is inferred'
        return given_depth(frame)

    def progress(summary):
        written[0] = summary.written

    summary = convert(camera_bag(tmp_path / 'in', 20), tmp_path / 'out', decode=decode,
                      depth_of=depth_of, progress=progress)
    assert summary.written == 20 and not summary.failed
    assert 2 <= max(ahead) <= WINDOW
