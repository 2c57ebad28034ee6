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

"""A live change is taken as a whole or refused with the reason."""

import re

from depth_anything_ros.srv import EstimateDepth
import numpy as np
from options_parts import CAMERA, room, running_bench, WORLD
import pytest
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from ros_parts import camera_info, coded_image, depth_from, wait_until

pytestmark = pytest.mark.ros


@pytest.fixture(scope='module')
def running():
    with running_bench() as bench:
        yield bench


@pytest.fixture
def bench(running):
    yield running
    running.restore()


@pytest.mark.parametrize('values, words', [
    ({'points__range_min': 5.0, 'points__range_max': 2.0}, 'must be smaller than'),
    ({'points__height_min': 2.0, 'points__height_max': 1.0}, 'must be smaller than'),
    ({'scan__range_min': 50.0}, 'must be smaller than scan.range_max'),
    ({'scan__height_min': 5.0}, 'must be smaller than scan.height_max'),
    ({'points__stride': 2, 'points__voxel_sise': 0.1}, "did you mean 'points.voxel_size'"),
    ({'points__stride': 2, 'model__name': 'da3-tiny'}, 'read-only'),
    ({'points__stride': 0}, 'points.stride'), ({'sky__mode': 'blue'}, 'one of nan, inf, far')])
def test_a_snapshot_is_taken_as_a_whole_or_not_at_all(bench, values, words):
    result = bench.node.set_parameters_atomically([
        Parameter(name.replace('__', '.'), value=value) for name, value in values.items()])
    assert not result.successful and words in result.reason
    cloud = bench.ask()['depth/points']
    assert (cloud.height, cloud.width) == (60, 80)


def test_the_service_gives_what_it_promises_whatever_the_topics_do(bench):
    WORLD.scale = 2
    bench.change(points__dense=True, points__stride=2, sky__mode='inf', depth__output_size='model')
    client = bench.rig.node.create_client(EstimateDepth, 'depth_anything/estimate_depth')
    assert client.wait_for_service(20.0)
    future = client.call_async(EstimateDepth.Request(
        image=coded_image(room(), 1), camera_info=camera_info(CAMERA, 1), with_cloud=True))
    assert wait_until(future.done)
    answer = future.result()
    assert answer.success, answer.message
    assert (answer.cloud.height, answer.cloud.width, answer.cloud.point_step) == (60, 80, 16)
    assert not np.isinf(depth_from(answer.depth)).any()


@pytest.mark.parametrize('name, words', [
    ('points.strid', "did you mean 'points.stride'"), ('model.name', 'read-only'),
    ('points.stride', 'points.stride .*64')])
def test_what_ros2_param_set_hears(bench, name, words):
    client = bench.rig.node.create_client(SetParameters, 'depth_anything/set_parameters')
    assert client.wait_for_service(20.0)
    value = 'da3-tiny' if name == 'model.name' else 100
    future = client.call_async(SetParameters.Request(
        parameters=[Parameter(name, value=value).to_parameter_msg()]))
    assert wait_until(future.done)
    result, = future.result().results
    assert not result.successful and re.search(words, result.reason), result.reason
