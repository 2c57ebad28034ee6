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

"""One Ray of this machine for all tests over it; without Ray they are skipped."""

import os
from pathlib import Path
import sys

import pytest

TESTS = Path(__file__).parents[1]
FOLDERS = [str(TESTS / name) for name in (
    'ray_serve', 'bridges', 'engine', 'reconstruction', 'websocket')]
sys.path += FOLDERS
# Replicas load the tests' engines by the names of their modules.
os.environ['PYTHONPATH'] = os.pathsep.join(filter(None, [
    str(TESTS.parent), *FOLDERS, os.environ.get('PYTHONPATH', '')]))
os.environ['RAY_USAGE_STATS_ENABLED'] = '0'


@pytest.fixture(scope='session')
def local_ray():
    """Start Ray with room for eight replicas, however few processors there are."""
    from depth_anything_ros import ray_serve
    with ray_serve.cluster('', 8):
        yield
