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

"""The training command runs, resumes, and writes what the engine loads."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

from depth_anything_ros.api import DepthEstimator
from depth_anything_ros.core.camera import Intrinsics
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / 'training' / 'train_tiny.py'
pytestmark = pytest.mark.skipif(not SCRIPT.exists(), reason='training/ is not installed')


def train(work: Path, steps: int) -> None:
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(
        [str(ROOT), os.environ.get('PYTHONPATH', '')]))
    subprocess.run(
        [sys.executable, str(SCRIPT), '--work', str(work), '--steps', str(steps),
         '--small-steps', '1', '--threads', '1'],
        check=True, env=environment, timeout=300, capture_output=True)


def test_a_run_that_was_stopped_goes_on_and_the_engine_loads_its_model(tmp_path: Path) -> None:
    train(tmp_path, 1)
    first = (tmp_path / 'model.safetensors').read_bytes()
    train(tmp_path, 2)
    assert (tmp_path / 'model.safetensors').read_bytes() != first
    camera = Intrinsics.from_fov(60, 320, 240)
    with DepthEstimator(str(tmp_path), device='cpu') as estimator:
        result = estimator(np.zeros((240, 320, 3), np.uint8), K=camera.matrix())
    # Untrained, it says about what the mean depth of a room is.
    assert 0.5 < float(np.median(result.depth)) < 6
