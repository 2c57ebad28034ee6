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

"""
The package built the way of pip and the way of colcon, from the same files, and used.

One clean environment with the ROS wheels: pip installs the package, two processes talk through
its service; then it is removed and colcon builds against the same environment as its underlay.
"""

import json
import os
from pathlib import Path
import shutil
import subprocess
import sys

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
FILES = ('package.xml', 'setup.py', 'setup.cfg', 'pyproject.toml', 'CMakeLists.txt', 'LICENSE',
         'MANIFEST.in', 'CHANGELOG.rst', 'README.md')
FOLDERS = ('config', 'depth_anything_ros', 'launch', 'native', 'requirements', 'resource',
           'scripts', 'srv', 'test')
WITHOUT = shutil.ignore_patterns('__pycache__', '*.pyc', '*.egg-info')

pytestmark = [pytest.mark.builds, pytest.mark.ros]


def outside(**changes):
    """Return this process's environment without what belongs to its own Python."""
    ours = ('LD_LIBRARY_PATH', '_ROS_WHEELS_BOOTSTRAP_COMPLETE', 'PYTHONPATH', 'VIRTUAL_ENV',
            'AMENT_PREFIX_PATH', 'CMAKE_PREFIX_PATH', 'COLCON_PREFIX_PATH')
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    return {**environment, 'DEPTH_ANYTHING_INTERFACES': 'require', **changes}


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **options)
    assert done.returncode == 0, f'{command}\n{done.stdout[-6000:]}'
    return done.stdout


def talk(prefix, environment, cwd):
    """Start server and client in processes of their own; return what the client saw."""
    server = subprocess.Popen([*prefix, HERE / 'interfaces_server.py'], env=environment, cwd=cwd)
    try:
        done = subprocess.run([*prefix, HERE / 'interfaces_client.py'], env=environment, cwd=cwd,
                              capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, done.stderr
        assert server.wait(60) == 0
    finally:
        server.kill()
    return json.loads(done.stdout)


def check(seen, place):
    assert seen['success'] and seen['message'] == 'rgb8 60 280'
    assert seen['frame_id'] == 'camera_optical' and seen['size'] == 4 * 48 * 64
    assert seen['fx'] == 55.5
    assert Path(seen['package']).is_relative_to(place)
    assert seen['libraries']
    assert all(Path(library).is_relative_to(place) for library in seen['libraries'])


KERNELS = ('from depth_anything_ros.engine.native import load; found, problem = load();'
           'print(found.path if found else problem)')


@pytest.fixture(scope='module')
def source(tmp_path_factory):
    """Copy the source tree without what was built in it."""
    folder = tmp_path_factory.mktemp('source') / 'depth_anything_ros'
    folder.mkdir()
    for name in FILES:
        if (ROOT / name).is_file():
            shutil.copy2(ROOT / name, folder / name)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=WITHOUT)
    return folder


@pytest.fixture(scope='module')
def clean(tmp_path_factory):
    """Make an environment with the ROS wheels and numpy, and nothing of ours."""
    folder = tmp_path_factory.mktemp('clean') / 'venv'
    run(sys.executable, '-m', 'venv', folder, env=outside())
    pip(folder, '-r', ROOT / 'requirements/ros.txt', 'numpy', 'PyYAML')
    return folder


def pip(venv, *arguments, verb='install', **options):
    return run(venv / 'bin/python', '-m', 'pip', '-q', '--disable-pip-version-check', verb,
               *arguments, env=outside(), **options)


@pytest.fixture(scope='module')
def installed(clean, source):
    pip(clean, '--no-deps', source)
    return clean


def test_pip_install_serves(installed, tmp_path):
    check(talk([installed / 'bin/python'], outside(), tmp_path), installed)


def test_pip_install_has_every_file(installed, source, tmp_path):
    share = installed / 'share/depth_anything_ros'
    for name in ('launch', 'config'):
        assert {path.name for path in (source / name).iterdir() if path.is_file()} == {
            path.name for path in (share / name).iterdir() if path.is_file()}
    for program in ('depth_node', 'demo_camera'):
        assert os.access(installed / 'lib/depth_anything_ros' / program, os.X_OK)
    package = next(installed.glob('lib/python*/site-packages/depth_anything_ros'))
    data = {path.relative_to(source / 'depth_anything_ros')
            for path in (source / 'depth_anything_ros').rglob('*') if path.is_file()}
    missing = {str(path) for path in data if not (package / path).is_file()}
    assert not missing
    profile = run(installed / 'bin/python', '-c', 'import depth_anything_ros.process as p; '
                  'print(p.find_shared("config/" + p.PROFILE))', env=outside(), cwd=tmp_path)
    assert Path(profile.strip()) == share / 'config/fastdds_large_images.xml'
    library = run(installed / 'bin/python', '-c', KERNELS, env=outside(), cwd=tmp_path)
    assert Path(library.strip()) == package / 'native/libframe_kernels.so'


def test_pip_install_without_interfaces_and_compiler_says_so(clean, source, tmp_path):
    target = tmp_path / 'target'
    out = run(clean / 'bin/python', '-m', 'pip', '--disable-pip-version-check', 'install', '-v',
              '--no-deps', '--target', target, source,
              env=outside(DEPTH_ANYTHING_INTERFACES='skip', CC='/nowhere/cc'))
    assert 'LEFT OUT: DEPTH_ANYTHING_INTERFACES=skip' in out
    assert 'LEFT OUT: no C compiler was found' in out
    assert not (target / 'depth_anything_ros/srv').exists()
    said = subprocess.run(
        [clean / 'bin/python', '-c',
         f'import sys; sys.path.insert(0, {str(target)!r}); import depth_anything_ros;'
         'from depth_anything_ros.interfaces import ros_problem;'
         'sys.modules.pop("depth_anything_ros.srv", None);'
         'depth_anything_ros.__path__[:] = depth_anything_ros.__path__[:1];'
         'import depth_anything_ros.engine.native as native; beside = native.folders()[:1];'
         f'native.folders = lambda: beside; print(ros_problem()); {KERNELS}'],
        env=outside(), cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert 'interfaces of depth_anything_ros are not installed' in said
    assert 'the compiled frame path cannot be used' in said and 'not built' in said


def test_colcon_build_test_and_serve(installed, source, tmp_path):
    pip(installed, '-y', 'depth_anything_ros', verb='uninstall')
    pip(installed, '-r', ROOT / 'requirements/build.txt', '-r', ROOT / 'requirements/colcon.txt',
        '-r', ROOT / 'requirements/test.txt', 'opencv-python-headless')
    environment = outside(
        VIRTUAL_ENV=str(installed), AMENT_PREFIX_PATH=str(installed),
        CMAKE_PREFIX_PATH=str(installed), PATH=f'{installed}/bin:{os.environ["PATH"]}')
    colcon = installed / 'bin/colcon'
    run(colcon, 'build', '--base-paths', source, '--cmake-args',
        f'-DPython3_EXECUTABLE={installed}/bin/python', env=environment, cwd=tmp_path)
    # What needs torch or minutes runs elsewhere; here, that colcon test finds and runs tests
    # against the installed package.
    run(colcon, 'test', '--base-paths', source, '--ctest-args', '-R', '^(core|top)$',
        env=environment, cwd=tmp_path)
    result = run(colcon, 'test-result', '--verbose', env=environment, cwd=tmp_path)
    tests = int(result.split('Summary: ')[1].split()[0])
    assert tests > 50, result
    sourced = ['bash', '-c', '. install/setup.bash && exec python3 "$@"', 'bash']
    check(talk(sourced, environment, tmp_path), tmp_path / 'install')
    library = run(*sourced, '-c', KERNELS, env=environment, cwd=tmp_path).strip()
    assert Path(library).is_relative_to(tmp_path / 'install')
    assert library.endswith('native/libframe_kernels.so')
    listed = run('bash', '-c', '. install/setup.bash && depth-anything --help && '
                 'ls "$(dirname "$(command -v depth-anything)")/../lib/depth_anything_ros"',
                 env=environment, cwd=tmp_path)
    assert 'depth_node' in listed and 'usage: depth-anything' in listed
