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

"""The times of the stages add up to the age of an image when it was published."""

from functools import partial
import time

import pytest
from ros_parts import (
    camera_info,
    coded_image,
    exact_service,
    node_here,
    plane_depth,
    Rig,
    ros_context,
    small_camera,
    wait_until,
)

pytestmark = pytest.mark.ros

DELAY = 0.03
FRAMES = 6
STAGES = {'arrival', 'wait_prepare', 'prepare', 'wait_infer', 'infer', 'wait_finish', 'finish',
          'publish'}


@pytest.fixture(scope='module')
def flow_and_values():
    camera = small_camera()
    with ros_context() as context, node_here(
            context, service=partial(exact_service, delay=DELAY)) as node:
        rig = Rig(context)
        try:
            wait_until(lambda: node.state == 'active' and rig.connected())
            for _ in range(FRAMES):
                stamp = time.time_ns()
                rig.ask(coded_image(plane_depth(camera), stamp), camera_info(camera, stamp))
            unit, = node.cameras
            wait_until(lambda: len(unit.flow.age._values) >= FRAMES)
            values = unit.health(node.state).values
            yield unit.flow, values
        finally:
            rig.close()


def test_every_stage_is_there_and_the_device_takes_its_time(flow_and_values):
    flow, _ = flow_and_values
    assert set(flow.stages) == STAGES
    assert all(len(flow.stages[stage]._values) == len(flow.age._values) for stage in STAGES)
    assert all(value >= DELAY for value in flow.stages['infer']._values)


def test_the_stages_of_each_frame_add_up_to_its_age(flow_and_values):
    flow, _ = flow_and_values
    for index, age in enumerate(flow.age._values):
        parts = [flow.stages[stage]._values[index] for stage in STAGES]
        # What is not in a stage is a few statements between them; a thread that loses the
        # processor there on a busy machine is no error of the sum.
        assert sum(parts) == pytest.approx(age, abs=0.05)
    gaps = sorted(abs(age - sum(flow.stages[stage]._values[index] for stage in STAGES))
                  for index, age in enumerate(flow.age._values))
    assert gaps[len(gaps) // 2] < 0.001


def test_diagnostics_say_the_stages_and_they_add_up(flow_and_values):
    flow, values = flow_and_values
    said = {key.removeprefix('of it '): float(text.removesuffix(' ms'))
            for key, text in values.items() if key.startswith('of it ')}
    assert set(said) == STAGES
    mean = float(values['age at publish mean'].removesuffix(' ms'))
    between = flow.age.mean() - sum(flow.stages[stage].mean() for stage in STAGES)
    # Each of eight parts and the whole are rounded to a tenth of a millisecond.
    assert sum(said.values()) + 1e3 * between == pytest.approx(mean, abs=0.5)
    assert said['infer'] >= DELAY * 1e3
