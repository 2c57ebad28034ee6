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

from depth_anything_ros.ros.camera_info import content_of
from depth_anything_ros.ros.pairing import KEPT, Pair, Pairing, PATIENCE
from sensor_msgs.msg import CameraInfo


def test_info_before_image():
    pairing = Pairing()
    assert pairing.add_info(1, 'info1') == []
    assert pairing.add_image(1, 'image1') == [Pair('image1', 'info1')]


def test_image_before_info():
    pairing = Pairing()
    assert pairing.add_image(1, 'image1') == []
    assert pairing.waiting == 1
    assert pairing.add_info(1, 'info1') == [Pair('image1', 'info1')]
    assert pairing.waiting == 0


def test_an_image_waits_until_the_next_one_at_most():
    pairing = Pairing()
    pairing.add_image(1, 'image1')
    assert pairing.add_image(2, 'image2') == [Pair('image1')]
    assert pairing.add_info(2, 'info2') == [Pair('image2', 'info2')]


def test_every_image_comes_out_once():
    pairing = Pairing()
    out = []
    for stamp in range(50):
        if stamp % 3:
            out += pairing.add_info(stamp, stamp)
        out += pairing.add_image(stamp, stamp)
    out += pairing.flush()
    assert [pair.image for pair in out] == list(range(50))
    assert all(pair.info == pair.image for pair in out if pair.info is not None)


def test_stamps_that_never_match_fall_to_the_newest():
    pairing = Pairing()
    out = []
    for stamp in range(0, 4 * PATIENCE, 2):
        out += pairing.add_info(stamp + 1, f'info{stamp + 1}')
        out += pairing.add_image(stamp, f'image{stamp}')
    assert pairing.fallen
    assert [pair.info for pair in out[:PATIENCE]] == [None] * PATIENCE
    assert out[-1] == Pair(f'image{stamp}', f'info{stamp + 1}')


def test_a_match_brings_exactness_back():
    pairing = Pairing()
    for stamp in range(PATIENCE + 1):
        pairing.add_image(stamp, stamp)
    assert pairing.fallen
    stamp += 1
    assert pairing.add_image(stamp, stamp) == [Pair(stamp)]
    pairing.add_info(stamp, 'late')
    assert not pairing.fallen
    assert pairing.add_image(stamp + 1, 'next') == []


def test_without_any_info_images_do_not_wait_for_ever():
    pairing = Pairing()
    for stamp in range(PATIENCE + 1):
        pairing.add_image(stamp, stamp)
    assert pairing.add_image(99, 'image') == [Pair('image')]
    assert not pairing.has_info


def test_latest_takes_what_is_there():
    pairing = Pairing()
    assert pairing.add_image(1, 'image1', exact=False) == []
    assert pairing.add_info(7, 'info7') == [Pair('image1', 'info7')]
    assert pairing.add_image(2, 'image2', exact=False) == [Pair('image2', 'info7')]


def test_memory_is_bounded():
    pairing = Pairing()
    for stamp in range(10 * KEPT):
        pairing.add_info(stamp, stamp)
    assert pairing.add_image(0, 'old') == []
    assert pairing.add_image(10 * KEPT - 1, 'new')[-1].info == 10 * KEPT - 1


def test_equal_stamps_take_the_newest_info():
    pairing = Pairing()
    pairing.add_info(0, 'a')
    pairing.add_info(0, 'b')
    assert pairing.add_image(0, 'image') == [Pair('image', 'b')]


def first_letter(info):
    """Return what an info of these tests says but for its stamp."""
    return info[0]


def test_a_lost_info_between_two_equal_ones_is_made_up_for():
    pairing = Pairing(first_letter)
    pairing.add_info(1, 'a1')
    assert pairing.add_image(2, 'image2') == []
    assert pairing.add_info(3, 'a3') == [Pair('image2', 'a3')]
    assert pairing.add_image(3, 'image3') == [Pair('image3', 'a3')]
    pairing.add_info(5, 'a5')
    assert pairing.add_image(4, 'image4') == [Pair('image4', 'a5')]
    assert not pairing.fallen


def test_a_lost_info_of_a_camera_that_changes_is_not():
    pairing = Pairing(first_letter)
    pairing.add_info(1, 'a1')
    assert pairing.add_image(2, 'image2') == []
    assert pairing.add_info(3, 'b3') == []
    assert pairing.add_image(3, 'image3') == [Pair('image2'), Pair('image3', 'b3')]


def test_infos_that_never_match_are_not_waited_for_though_they_are_equal():
    pairing = Pairing(first_letter)
    for stamp in range(0, 2 * PATIENCE + 2, 2):
        pairing.add_image(stamp, stamp)
        pairing.add_info(stamp + 1, f'a{stamp}')
    assert pairing.fallen
    assert pairing.add_image(99, 'image') == [Pair('image', f'a{stamp}')]


def test_everything_of_a_camera_info_but_its_stamp_is_compared():
    one, two = CameraInfo(width=4), CameraInfo(width=4)
    two.header.stamp.sec = 7
    assert content_of(one) == content_of(two)
    for name, value in (('width', 5), ('d', [0.1]), ('k', [2.0] * 9), ('p', [1.0] * 12),
                        ('binning_x', 2), ('distortion_model', 'equidistant')):
        assert content_of(one) != content_of(CameraInfo(**{'width': 4, name: value})), name
