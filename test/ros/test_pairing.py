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

from depth_anything_ros.ros.pairing import KEPT, Pair, Pairing, PATIENCE


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
