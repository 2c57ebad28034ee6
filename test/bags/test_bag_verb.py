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

"""The bag verb: one bag through the bundled model, refusals, exit codes, the progress line."""

from io import StringIO
import subprocess
import sys

from bag_parts import (
    camera_bag,
    camera_info,
    image,
    IMAGE_TOPIC,
    Message,
    read_bag,
    read_messages,
    write_bag,
)
from depth_anything_ros.cli import main
from depth_anything_ros.cli.progress import CLEAR, Progress
import numpy as np
import pytest


def command(*arguments):
    return main.main(['bag', *(str(item) for item in arguments), '--device', 'cpu'])


def test_a_bag_becomes_a_bag_of_depth(tmp_path, capsys):
    damaged = Message(IMAGE_TOPIC, image(0).kind, image(6).time_ns, image(6).data[:100])
    messages = [item for index in range(6) for item in (image(index), camera_info(index))]
    source = write_bag(tmp_path / 'in', [*messages, damaged], 'mcap')
    out = tmp_path / 'out'
    arguments = (source, out, '--model', 'da3-tiny', '--namespace', 'front', '--topics',
                 'depth/image,/depth/points', '--max-depth', 50)
    assert command(*arguments) == 0
    said = capsys.readouterr()
    assert 'da3-tiny on cpu, fp32' in said.out and 'demos and tests' in said.out
    assert '7 in, 6 out, 1 failed; 6 with a camera_info of their own stamp' in said.out
    assert '1 x malformed_message: a record of /camera/image_raw (100 bytes)' in said.out
    assert 'x real time' in said.out and 'from camera_info' in said.out
    assert '\r' not in said.err and '\x1b' not in said.err
    assert {topic: len(records) for topic, records in read_bag(out).items()} == \
        {'/front/depth/image': 6, '/front/depth/points': 6}
    assert read_messages(out, '/front/depth/image')[0].encoding == '32FC1'
    assert command(*arguments) == 2
    assert '--overwrite' in capsys.readouterr().err


def test_the_nodes_parameters_change_a_recording_too(tmp_path):
    out = tmp_path / 'out'
    assert command(
        camera_bag(tmp_path / 'in', 1), out, '--model', 'da3-tiny', '--set', 'points.dense=true',
        '--set', 'points.color=off', '--set', 'points.range_max=2.5', '--set', 'sky.mode=far',
        '--set', 'depth.output_size=model', '--topics', 'depth/points,depth/scan,color/image') == 0
    cloud, = read_messages(out, '/depth/points')
    assert cloud.is_dense and cloud.height == 1 and cloud.point_step == 12
    points = cloud.data.view(np.float32).reshape(-1, 3)
    length = np.linalg.norm(points, axis=1)
    assert ((length <= 2.5) | np.isclose(length, 10.0, rtol=1e-4)).all()
    picture, = read_messages(out, '/color/image')
    assert picture.width % 14 == picture.height % 14 == 0
    scan, = read_messages(out, '/depth/scan')
    assert scan.header.frame_id == 'camera' and len(scan.ranges) > 10


def test_metres_need_a_focal_length_before_anything_is_written(tmp_path, capsys):
    source = write_bag(tmp_path / 'in', [image(0), image(1)])
    older = camera_bag(tmp_path / 'out', 1)
    arguments = (source, older, '--model', 'da3-tiny', '--overwrite')
    assert command(*arguments) == 2
    said = capsys.readouterr().err
    assert '--fov' in said and IMAGE_TOPIC in said
    assert set(read_bag(older)) == {IMAGE_TOPIC, '/camera/camera_info'}
    assert command(*arguments, '--fov', 60, '--copy-input') == 0
    assert set(read_bag(older)) >= {IMAGE_TOPIC, '/depth/image', '/depth/camera_info'}
    again = (older, tmp_path / 'again', '--model', 'da3-tiny', '--fov', 60, '--image-topic',
             IMAGE_TOPIC, '--copy-input')
    assert command(*again) == 2
    assert '--namespace' in capsys.readouterr().err
    assert not (tmp_path / 'again').exists()


@pytest.mark.parametrize(('arguments', 'text'), [
    (['missing', 'out'], 'no such bag'),
    (['two', 'out'], 'choose one with --image-topic'),
    (['two', 'out', '--image-topic', '/left/image', '--camera-info-topic', '/x'], 'not in the'),
    (['one', 'one', '--overwrite'], 'holds the bag that is read'),
    (['one', 'out', '--topics', 'depth/cloud'], "unknown topic 'depth/cloud'"),
    (['one', 'out', '--namespace', '7up'], 'not a ROS name'),
    (['one', 'out', '--fov', '181'], 'fov_deg must be'),
    (['one', 'out', '--set', 'points.strid=2'], "did you mean 'points.stride'"),
    (['one', 'out', '--set', 'points.stride=0'], 'from 1 to 64'),
    (['one', 'out', '--set', 'points.stride'], 'NAME=VALUE'),
    (['one', 'out', '--set', 'points.max_rate=2'], 'for the ROS node'),
    (['one', 'out', '--set', 'model.device=cpu'], 'for the ROS node'),
    (['one', 'out', '--set', 'scan.range_max=0.05'], 'must be smaller than scan.range_max'),
])
def test_what_cannot_be_done_is_said_before_a_model_is_loaded(
        tmp_path, capsys, monkeypatch, arguments, text):
    monkeypatch.chdir(tmp_path)
    camera_bag(tmp_path / 'one', 1)
    write_bag(tmp_path / 'two', [image(0, '/left/image'), image(0, '/right/image')])
    # A model that cannot be loaded: had it been tried, the message were another.
    assert command(*arguments, '--model', '/no/such/model') == 2
    assert text in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_a_bag_without_one_good_image_is_a_failure(tmp_path, capsys):
    damaged = Message(IMAGE_TOPIC, image(0).kind, image(0).time_ns, image(0).data[:100])
    source = write_bag(tmp_path / 'in', [damaged, camera_info(0)])
    assert command(source, tmp_path / 'out', '--model', 'da3-tiny') == 1
    assert '1 in, 0 out, 1 failed' in capsys.readouterr().out


class Terminal(StringIO):

    def isatty(self):
        return True


def test_the_progress_line_says_rate_and_time_left():
    now = [0.0]
    stream = Terminal()
    progress = Progress(stream, 100, clock=lambda: now[0])
    for done, now[0] in ((1, 0.05), (2, 0.1), (50, 5.0), (100, 5.01)):
        progress.update(done, done // 50)
    progress.say('note: look')
    progress.close()
    first, half, last, note, end = stream.getvalue().split(CLEAR)[1:]
    assert first == '1/100  1 %  20.0/s  0:00:05 left'
    assert half == '50/100  50 %  10.0/s  0:00:05 left  1 failed'
    assert last.startswith('100/100  100 %')
    assert (note, end) == ('note: look\n', '')


def test_without_a_terminal_only_remarks_are_written():
    stream = StringIO()
    progress = Progress(stream, 2)
    progress.update(1, 0)
    progress.say('note: look')
    progress.close()
    assert stream.getvalue() == 'note: look\n'


def test_without_rosbags_the_extra_is_named_and_other_verbs_work():
    program = ('import sys; sys.modules["rosbags"] = None; '
               'from depth_anything_ros.cli.main import main; sys.exit(main(sys.argv[1:]))')
    for arguments, code in ((('bag', 'in', 'out'), 2), (('models',), 0)):
        ended = subprocess.run(
            [sys.executable, '-c', program, *arguments], capture_output=True, text=True,
            check=False)
        assert ended.returncode == code, ended.stderr
        assert ('pip install "depth_anything_ros[bag]"' in ended.stderr) == (code == 2)
