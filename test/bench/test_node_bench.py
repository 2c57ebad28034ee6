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

"""The benchmarks of the node run, and count what they say they count."""

from __future__ import annotations

from bench import multi_camera, node, node_cases, node_parts, outputs
from bench.node_engines import called, constant, METRIC, NETWORKS, process_res, RELATIVE
from bench.node_turns import Bench, details, OURS, Turn, USUAL, VGA, whole_frames
from bench.parts import Part
from depth_anything_ros.ros.outputs import TOPICS
import numpy as np
import pytest
import rclpy

SECOND = 10 ** 9


def test_a_frame_is_whole_where_every_output_came():
    seen = {'depth/image': [(SECOND, 0.1), (3 * SECOND, 0.2), (2 * SECOND, 0.3)],
            'depth/points': [(SECOND, 0.4), (2 * SECOND, 0.2)]}
    latency, arrivals, disorder = whole_frames(seen)
    assert latency.tolist() == [0.4, 0.3] and arrivals.tolist() == [1.4, 2.3]
    assert disorder == 1
    none, arrivals, disorder = whole_frames({'depth/image': [], 'depth/points': [(1, 0.1)]})
    assert not len(none) and not len(arrivals) and not disorder


def turn(**changes):
    """Return a turn of five frames at 10 Hz of which two were lost."""
    values = {'sent': 5, 'latency': np.array([0.01, 0.02, 0.03]),
              'arrivals': np.array([1.0, 1.1, 1.3]), 'disorder': 0, 'cpu': 0.002, 'faults': 4.0,
              'memory': 3e6, 'counts': {'received': 4, 'published': 3, 'replaced': 1,
                                        'invalid': 0, 'waiting': 0}}
    return Turn(**{**values, **changes})


def test_drops_have_a_reason_and_the_columns_say_all():
    assert turn().drops == {'before': 1, 'replaced': 1, 'after': 0}
    row = details([turn(), turn(cpu=0.004)])
    assert row == {
        'latency': '20.0 / 30.0 / 30.0', 'hertz': 6.67, 'jitter': 50.0, 'cpu': 3.0, 'faults': 4.0,
        'frames': '6 of 10', 'drops': '2 before, 2 replaced', 'megabytes': 3}
    empty = turn(latency=np.zeros(0), arrivals=np.zeros(0))
    assert details([empty])['latency'] == 'none' and empty.hertz == 0
    ratio = node_cases.ratios([(turn(), turn(cpu=0.004)), (turn(), empty)], 'CPU')
    assert (ratio.median, ratio.count) == (0.5, 1)


def test_cases_are_all_that_the_issue_names_and_can_be_chosen():
    assert len({case.name for case in node_cases.CASES}) == 2 * 2 * 2 * 5
    found = node_cases.chosen('da3-tiny.*jpeg')
    assert [(case.size, case.hertz) for case in found] == [
        (VGA, 30), (VGA, 60), ((1920, 1080), 30), ((1920, 1080), 60)]
    with pytest.raises(SystemExit, match='da3-small, 640x480 jpeg, 60 Hz'):
        node_cases.chosen('da3-giant')


def test_networks_are_constant_or_the_real_ones():
    wait, tiny = called(constant(0)), called(NETWORKS[3])
    batch = np.zeros((1, 3, 126, 168), np.float32)
    assert wait(batch).shape == tiny(batch).shape == (126, 168)
    assert process_res(NETWORKS[3]) == 168 and process_res(constant(0)) == 504
    assert [network.topics for network in NETWORKS] == [METRIC] * 4 + [RELATIVE]


@pytest.mark.parametrize('encoding', ['rgb8', 'jpeg'])
def test_both_nodes_do_the_same_work_between_processes(encoding, monkeypatch):
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    bench = Bench()
    try:
        bench.start(constant(0), encoding)
        for space in (OURS, USUAL):
            found = bench.turn(space, 10, 1.0, VGA, encoding)
            assert found.sent == 10 and found.frames > 0 and found.cpu > 0, space
            assert found.counts['published'] >= found.frames
        rows = node.full_hd(bench, 1, 0.3) if encoding == 'rgb8' else []
    finally:
        bench.close()
    if rows:
        assert [row['bar'] is not None for row in rows] == [True, False, True, False]
        assert all(0 <= row['value']['median'] <= 1 for row in rows)


def test_cameras_of_one_process_and_of_one_each():
    rows = multi_camera.measure(1, 20, 0.5, 5, counts=(2,), tiny=0)
    assert [row['what'] for row in rows] == [
        '5 ms, 2 cameras: results, one process / 2',
        '5 ms, 2 cameras: least / most results of a camera, one process',
        '5 ms, 2 cameras: least / most results of a camera, 2 processes']
    assert rows[0]['least'] > 0 and rows[2]['megabytes'] > 1.5 * rows[0]['megabytes']


def test_every_output_is_filled_and_published():
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node('bench_outputs', context=context)
    reader = Part(node_parts.listener)
    try:
        rows = outputs.measure(node, reader, 32, 24, 20)
    finally:
        reader.close()
        node.destroy_node()
        rclpy.shutdown(context=context)
    names = [row['what'].partition(':')[0] for row in rows]
    assert set(names) == {topic.name for topic in TOPICS} | {
        'depth/points as a list', 'all made, filled and published / all published'}
    assert all(row['bar'] == {'kind': 'at most', 'limit': 1.1} for row in rows[:-1])
