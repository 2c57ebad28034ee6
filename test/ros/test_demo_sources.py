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

import cv2
from depth_anything_ros.errors import ConfigError
from depth_anything_ros.ros.demo_settings import demo_camera_settings, describe_demo_camera
from depth_anything_ros.ros.demo_sources import open_source
from depth_anything_ros.scenes import camera_path, demo_rooms, render
import numpy as np
import pytest

SECOND = 10 ** 9
STAMP = 1_795_000_000 * SECOND + 123_456_789


def source(**given):
    return open_source(demo_camera_settings(given))


def plain(level, width=32, height=24):
    return np.full((height, width, 3), level, np.uint8)


def clip(path, levels, fps):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), fps, (32, 24))
    assert writer.isOpened()
    for level in levels:
        writer.write(plain(level))
    writer.release()
    return str(path)


def levels_of(opened, count):
    """Grey levels of the next pictures, to the nearest ten; None after the end."""
    shots = [opened.read(0) for _ in range(count)]
    return [None if shot is None else round(int(shot.rgb.mean()) / 10) * 10 for shot in shots]


def test_a_room_is_what_anybody_renders_from_the_stamp():
    shot = source(room=4, width=64, fov_deg=80.0).read(STAMP)
    assert shot.rgb.shape == (48, 64, 3) and shot.intrinsics.size == (64, 48)
    view = render(demo_rooms()[4], camera_path(demo_rooms()[4], STAMP / SECOND), shot.intrinsics)
    assert (shot.rgb == view.rgb).all() and (shot.depth == view.depth).all()
    assert np.tan(np.radians(40)) == pytest.approx(32 / shot.intrinsics.fx)
    other = source(room=4, width=64, fov_deg=80.0).read(STAMP + 2 * SECOND)
    assert np.abs(other.depth - shot.depth).max() > 0.05


def test_a_picture_keeps_its_colours_and_its_shape(tmp_path):
    bgr = plain(0, 40, 20)
    bgr[..., 0], bgr[..., 2] = 10, 200
    cv2.imwrite(str(tmp_path / 'a.png'), bgr)
    shot = source(source='image', path=str(tmp_path / 'a.png')).read(0)
    assert shot.rgb[0, 0].tolist() == [200, 0, 10]
    assert shot.intrinsics is None and shot.depth is None
    half = source(source='image', path=str(tmp_path / 'a.png'), width=20, fov_deg=60.0).read(0)
    assert half.rgb.shape == (10, 20, 3) and half.intrinsics.size == (20, 10)


def test_a_folder_is_read_by_name_and_begins_again(tmp_path):
    for name, level in (('c.png', 30), ('a.png', 10), ('b.JPG', 20)):
        cv2.imwrite(str(tmp_path / name), plain(level))
    (tmp_path / 'notes.txt').write_text('no picture')
    given = {'source': 'folder', 'path': str(tmp_path)}
    assert levels_of(source(**given), 5) == [10, 20, 30, 10, 20]
    assert levels_of(source(**given, loop=False), 4) == [10, 20, 30, None]


def test_a_video_plays_in_its_own_time(tmp_path):
    path = clip(tmp_path / 'clip.avi', [20, 60, 100, 140, 180, 220], 10.0)
    given = {'source': 'video', 'path': path, 'loop': False}
    assert levels_of(source(**given, rate=10.0), 7) == [20, 60, 100, 140, 180, 220, None]
    assert levels_of(source(**given, rate=5.0), 4) == [20, 100, 180, None]
    assert levels_of(source(**given, rate=20.0), 4) == [20, 20, 60, 60]
    given['loop'] = True
    assert levels_of(source(**given, rate=5.0), 5) == [20, 100, 180, 20, 100]


@pytest.mark.parametrize('kind, content, expected', [
    ('image', None, 'no such picture'), ('image', b'text', 'not a picture'),
    ('video', None, 'no such video'), ('video', b'text', 'not a video'),
    ('folder', None, 'no such folder'), ('v4l', b'text', 'not a camera device')])
def test_what_cannot_be_read_is_named(tmp_path, kind, content, expected):
    path = tmp_path / 'thing.bin'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=expected) as caught:
        source(source=kind, path=str(path))
    assert str(path) in str(caught.value)


def test_an_empty_folder_says_what_is_accepted(tmp_path):
    with pytest.raises(ConfigError, match='.jpg'):
        source(source='folder', path=str(tmp_path))


@pytest.mark.parametrize('given, expected', [
    ({'sorce': 'room'}, "did you mean 'source'"), ({'source': 'image'}, 'needs a path'),
    ({'source': 'camera'}, 'room, image, video'), ({'room': 8}, 'from 0 to 7'),
    ({'rate': 'fast'}, 'must be float')])
def test_wrong_settings_are_refused(given, expected):
    with pytest.raises(ConfigError, match=expected):
        demo_camera_settings(given)


def test_there_is_a_setting_for_every_room():
    room, = (item for item in describe_demo_camera() if item.name == 'room')
    assert room.high == len(demo_rooms()) - 1
