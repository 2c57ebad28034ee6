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

import json
import os
from pathlib import Path
import subprocess
import sys

import pytest

pytestmark = pytest.mark.ros
PROGRAM = Path(__file__).with_name('large_images.py')
SEGMENT = 32 << 20
OURS = ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE',
        'OPENCV_FOR_THREADS_NUM')


def exchange(**switches):
    # This process has been set up already: the children begin without what it was given.
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    processes = [subprocess.Popen(
        [sys.executable, PROGRAM, what], env={**environment, **switches}, stdout=subprocess.PIPE,
        text=True) for what in ('receive', 'publish')]
    try:
        outputs = [process.communicate(timeout=150)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [json.loads(output.splitlines()[-1]) for output in outputs]


@pytest.mark.skipif('fastrtps' not in os.environ.get('RMW_IMPLEMENTATION', 'fastrtps'),
                    reason='the profile is for Fast DDS')
def test_large_best_effort_images_arrive_with_the_profile():
    received, sent = exchange()
    assert any('Fast DDS profile' in text for text in sent['done'])
    assert sent['shared_memory'] >= SEGMENT and received['shared_memory'] >= SEGMENT
    assert received['count'] >= 0.9 * sent['count'], (received, sent)


@pytest.mark.skipif('fastrtps' not in os.environ.get('RMW_IMPLEMENTATION', 'fastrtps'),
                    reason='the profile is for Fast DDS')
def test_switched_off_the_transport_is_the_default_one():
    program = ('from depth_anything_ros.process import set_up_process;'
               'import json, runpy; print(json.dumps(set_up_process().left));'
               f'parts = runpy.run_path({str(PROGRAM)!r});'
               'rclpy = parts["rclpy"]; rclpy.init(); node = rclpy.create_node("small");'
               'print(parts["largest_shared_memory"]())')
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    done = subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, check=True,
        env={**environment, 'DEPTH_ANYTHING_FASTDDS_PROFILE': '0'})
    left, size = done.stdout.splitlines()
    assert 'fastdds_profile is switched off' in json.loads(left)
    assert 0 < int(size) < SEGMENT
