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

"""Every image gets the CameraInfo with its stamp, else the newest, and none is lost."""

from bag_parts import (
    camera_bag,
    camera_info,
    convert,
    image,
    PERIOD_NS,
    read_messages,
    stamp,
    write_bag,
)
from depth_anything_ros.bags.library import CAMERA_INFO, IMAGE
from depth_anything_ros.bags.pairing import KEPT, LOOKAHEAD, Pairing
from depth_anything_ros.bags.records import Record
from hypothesis import given, strategies


def focals(path):
    return [item.k[0] for item in read_messages(path, '/depth/camera_info')]


def some(stamp_ns, kind=IMAGE):
    return Record('/topic', kind, stamp_ns, b'%d' % stamp_ns)


def test_a_camera_info_that_comes_after_its_image_is_waited_for(tmp_path):
    messages = [image(index) for index in range(6)]
    messages += [camera_info(index, focal=50.0 + index, late_ns=PERIOD_NS * 3 // 2)
                 for index in range(6)]
    notes = []
    summary = convert(write_bag(tmp_path / 'in', messages), tmp_path / 'out', notes=notes)
    assert focals(tmp_path / 'out') == [50, 51, 52, 53, 54, 55]
    assert summary.exact == 6 and not notes


def test_the_newest_is_taken_where_stamps_differ_and_said_once(tmp_path):
    messages = [image(index) for index in range(8)]
    messages += [camera_info(index, focal=50.0 + index, off_ns=5) for index in (0, 4)]
    notes = []
    summary = convert(write_bag(tmp_path / 'in', messages), tmp_path / 'out', notes=notes)
    assert summary.exact == 0 and summary.written == 8
    seen = focals(tmp_path / 'out')
    assert seen[0] == 50 and seen[-1] == 54 and seen == sorted(seen)
    assert len(notes) == 1 and 'newest camera_info' in notes[0]


def test_images_before_the_first_camera_info_get_that_one(tmp_path):
    messages = [image(index) for index in range(8)] + [camera_info(7, focal=70.0)]
    summary = convert(write_bag(tmp_path / 'in', messages), tmp_path / 'out')
    assert focals(tmp_path / 'out') == [70.0] * 8
    assert (summary.written, summary.exact) == (8, 1)


def test_a_camera_info_of_another_size_fails_with_both_sizes(tmp_path):
    summary = convert(camera_bag(tmp_path / 'in', 2, size=(640, 480)), tmp_path / 'out')
    assert summary.reasons == {'invalid_intrinsics': 2}
    assert '640x480' in summary.examples['invalid_intrinsics']
    assert '64x48' in summary.examples['invalid_intrinsics']


def test_distortion_and_another_frame_are_said_once_each(tmp_path):
    notes = []
    convert(camera_bag(tmp_path / 'in', 3, d=0.1, frame_id='lens'), tmp_path / 'out', notes=notes)
    assert len(notes) == 2
    assert any('distortion' in note for note in notes) and any("'lens'" in note for note in notes)
    messages = read_messages(tmp_path / 'out', '/depth/camera_info')
    assert {item.header.frame_id for item in messages} == {'camera_optical'}


def test_an_image_that_is_called_rectified_has_no_distortion(tmp_path):
    notes, topic = [], '/camera/image_rect_color'
    source = write_bag(tmp_path / 'in', [image(0, topic), camera_info(0, d=0.1)])
    assert convert(source, tmp_path / 'out', notes=notes, image=topic).written == 1
    assert not notes


@given(strategies.lists(strategies.tuples(strategies.booleans(), strategies.integers(0, 20))))
def test_no_image_is_lost_or_moved_and_an_exact_one_is_exact(events):
    pairing = Pairing()
    pairing.expect(some(0, CAMERA_INFO))
    given_in, out, held = [], [], 0
    for is_image, number in events:
        if is_image:
            given_in.append(number)
            out += pairing.add_image(number, some(number))
        else:
            out += pairing.add_info(number, some(number, CAMERA_INFO))
        held = len(given_in) - len(out)
        assert 0 <= held <= LOOKAHEAD
    out += pairing.flush()
    assert [pair.image.time_ns for pair in out] == given_in
    for pair in out:
        assert not pair.exact or pair.info.time_ns == pair.image.time_ns


def test_memory_of_camera_infos_is_bounded():
    pairing = Pairing()
    pairing.expect(some(0, CAMERA_INFO))
    for number in range(KEPT + 1):
        pairing.add_info(number, some(number, CAMERA_INFO))
    assert not pairing.add_image(0, some(0))
    assert pairing.add_image(stamp(0), some(stamp(0))) == []
    last, = [pair for pair in pairing.add_image(KEPT, some(KEPT)) if pair.exact] or \
        [pair for pair in pairing.flush() if pair.exact]
    assert last.info.time_ns == KEPT
