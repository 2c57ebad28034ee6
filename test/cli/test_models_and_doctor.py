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

"""The models and doctor verbs."""

from pathlib import Path
import subprocess
import sys

from depth_anything_ros.cli import doctor, main
from depth_anything_ros.engine.models import MODELS


def test_models_lists_every_model_with_its_licence(capsys):
    assert main.main(['models']) == 0
    lines = capsys.readouterr().out.splitlines()
    for model in MODELS:
        line = next(line for line in lines if line.startswith(model.name + ' '))
        assert model.licence in line and model.kind.value in line
    tiny = next(line for line in lines if line.startswith('da3-tiny'))
    assert ' yes ' in tiny and 'demos' in tiny


def test_a_model_that_does_not_exist_is_named_with_the_nearest(capsys):
    assert main.main(['models', '--download', 'da3-smal']) == 2
    assert "did you mean 'da3-small'" in capsys.readouterr().err


def test_doctor_says_what_is_there(capsys):
    assert main.main(['doctor']) == 0
    said = capsys.readouterr().out
    for topic in ('python', 'numpy', 'cv2', 'torch', 'network', 'cuda', 'weights', 'ros'):
        assert f' {topic} ' in said
    assert 'command line: ready' in said


def test_doctor_says_what_is_missing_and_what_to_do():
    finding = doctor.package('no_such_package', 'pip install it')
    assert 'No module named' in finding.seen
    assert finding.advice == 'pip install it' and finding.needed


def test_the_program_says_so_when_its_environment_is_not_active():
    program = Path(__file__).parents[2] / 'scripts' / 'nodes' / 'depth-anything'
    # Isolated and without site: a Python that has none of the environment's packages.
    done = subprocess.run(
        [sys.executable, '-I', '-S', str(program), 'doctor'], capture_output=True, text=True)
    assert done.returncode == 1
    assert 'depth_anything_ros is not installed for' in done.stderr
    assert 'activate' in done.stderr and 'Traceback' not in done.stderr
