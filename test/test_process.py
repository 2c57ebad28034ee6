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

import ctypes
import math
import os
from pathlib import Path
import subprocess
import sys
from xml.etree import ElementTree

from depth_anything_ros import process
from depth_anything_ros.process import (
    choose_profile,
    find_shared,
    HUGE_PAGES,
    OPENMP_WAITING,
    PROFILE_VARIABLES,
    SPINS,
)
import pytest

ROOT = Path(__file__).resolve().parents[1]
NAMESPACE = '{http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles}'
GLIBC = hasattr(ctypes.CDLL(None), 'gnu_get_libc_version')


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_profile_is_named_for_old_and_new_fast_dds(elsewhere):
    environment = {}
    profile, text = choose_profile(environment)
    assert profile is not None and profile.is_file() and str(profile) in text
    assert environment and set(environment) <= set(PROFILE_VARIABLES)
    assert set(environment.values()) == {str(profile)}
    # Once more, as in a child process: the same profile, not a strange one.
    assert choose_profile(environment)[0] == profile


@pytest.mark.parametrize('installed, expected', [
    (['fastdds'], PROFILE_VARIABLES[:1]), (['fastrtps'], PROFILE_VARIABLES[1:]),
    ([], PROFILE_VARIABLES), (['fastdds', 'fastrtps'], PROFILE_VARIABLES)])
def test_the_name_is_that_of_the_installed_fast_dds(tmp_path, monkeypatch, installed, expected):
    monkeypatch.setattr(sys, 'prefix', str(tmp_path / 'python'))
    for name in installed:
        (tmp_path / 'ros/share' / name).mkdir(parents=True)
    assert process.profile_variables({'AMENT_PREFIX_PATH': str(tmp_path / 'ros')}) == expected


@pytest.mark.parametrize('environment', [
    {'FASTDDS_DEFAULT_PROFILES_FILE': 'mine.xml'},
    {'FASTRTPS_DEFAULT_PROFILES_FILE': 'mine.xml'},
    {'FASTDDS_BUILTIN_TRANSPORTS': 'LARGE_DATA'},
    {'RMW_IMPLEMENTATION': 'rmw_cyclonedds_cpp'},
])
def test_what_the_user_has_chosen_stays(elsewhere, environment):
    before = dict(environment)
    profile, text = choose_profile(environment)
    assert profile is None and environment == before
    assert next(iter(before.values())) in text


def test_a_profile_in_the_working_directory_stays(elsewhere):
    Path('DEFAULT_FASTRTPS_PROFILES.xml').write_text('<profiles/>')
    environment = {'RMW_IMPLEMENTATION': 'rmw_fastrtps_cpp'}
    assert choose_profile(environment)[0] is None
    assert set(environment) == {'RMW_IMPLEMENTATION'}


def test_too_little_shared_memory_is_said(elsewhere, monkeypatch):
    monkeypatch.setattr(process, 'free_shared_memory', lambda: 63 << 20)
    environment = {}
    profile, text = choose_profile(environment)
    assert profile is None and environment == {} and '--shm-size' in text


@pytest.mark.parametrize('free, name', [
    (64 << 20, process.PROFILE), ((768 << 20) - 1, process.PROFILE),
    (768 << 20, process.CLOUDS_PROFILE), (math.inf, process.CLOUDS_PROFILE)])
def test_the_larger_segment_is_taken_where_there_is_room(elsewhere, monkeypatch, free, name):
    monkeypatch.setattr(process, 'free_shared_memory', lambda: free)
    environment = {}
    profile, _ = choose_profile(environment)
    assert profile == find_shared(f'config/{name}') is not None
    # What a program was started with stays, however much room there is by then.
    for later in (64 << 20, 1 << 40):
        monkeypatch.setattr(process, 'free_shared_memory', lambda free=later: free)
        assert choose_profile(environment)[0] == profile


@pytest.mark.parametrize('name, segment', [
    (process.PROFILE, process.SEGMENT_BYTES),
    (process.CLOUDS_PROFILE, process.CLOUDS_SEGMENT_BYTES)])
def test_the_profiles_say_what_the_code_says(name, segment):
    profile = find_shared(f'config/{name}')
    assert profile is not None
    root = ElementTree.parse(profile).getroot()
    assert [e.text for e in root.iter(f'{NAMESPACE}segment_size')] == [str(segment)]
    assert {e.text for e in root.iter(f'{NAMESPACE}type')} == {'SHM', 'UDPv4'}
    message = next(root.iter(f'{NAMESPACE}maxMessageSize'))
    assert 2 * int(message.text) <= segment
    places = [int(e.text) for e in root.iter(f'{NAMESPACE}port_queue_capacity')] or [512]
    assert places[0] * 65536 >= segment, 'a place for every piece'


def test_shared_files_are_found_beside_an_installed_package(monkeypatch, tmp_path):
    module = tmp_path / 'lib/python3.12/site-packages/depth_anything_ros/process.py'
    file = tmp_path / 'share/depth_anything_ros/config/some.yaml'
    for path in (module, file):
        path.parent.mkdir(parents=True)
        path.touch()
    monkeypatch.setattr(process, '__file__', str(module))
    assert find_shared('config/some.yaml') == file
    assert find_shared('config/other.yaml') is None


def child(code, **environment):
    ours = (*PROFILE_VARIABLES, *OPENMP_WAITING, 'OPENCV_FOR_THREADS_NUM')
    kept = {name: value for name, value in os.environ.items()
            if name not in ours and not name.startswith(('DEPTH_ANYTHING_', 'MALLOC_'))}
    done = subprocess.run(
        [sys.executable, '-c', 'from depth_anything_ros.process import set_up_process\n' + code],
        capture_output=True, text=True, cwd=ROOT, env={**kept, **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_all_steps_are_done_by_default_and_once():
    lines = child('import sys; a = set_up_process(); print(*a.done, sep="\\n")\n'
                  'assert set_up_process(tune_malloc=False) is a and not a.left, a.left\n'
                  'assert abs(sys.getswitchinterval() - 0.0005) < 1e-9\n'
                  'assert not {"torch", "rclpy", "cv2", "numpy"} & set(sys.modules)\n'
                  'import cv2; assert cv2.getNumThreads() == 1')
    assert len(lines) == 5


@pytest.mark.parametrize('step', [
    'tune_malloc', 'fastdds_profile', 'switch_interval', 'opencv_threads', 'openmp_spins'])
def test_each_step_is_switched_off_by_argument_and_by_environment(step):
    said = f'{step} is switched off'
    for code, environment in (
            (f'print(*set_up_process({step}=False).left)', {}),
            ('print(*set_up_process().left)', {f'DEPTH_ANYTHING_{step.upper()}': '0'})):
        assert child(code, **environment) == [said]


def test_the_threads_of_the_network_soon_sleep_and_libgomp_is_told_in_time():
    pytest.importorskip('torch')
    code = ('import os\nos.dup2(1, 2)\nset_up_process()\nimport torch\n'
            'torch.ones(1 << 20).exp_()')
    said = [line for line in child(code, OMP_DISPLAY_ENV='verbose') if 'SPINCOUNT' in line]
    assert said and all(f"'{SPINS}'" in line for line in said)


@pytest.mark.parametrize('name', OPENMP_WAITING)
def test_the_users_openmp_settings_stay(name):
    lines = child('import os; print(*set_up_process().left); print(os.environ.get('
                  '"GOMP_SPINCOUNT"))', **{name: '7'})
    assert lines == [f'OpenMP threads wait as {name} says',
                     '7' if name == 'GOMP_SPINCOUNT' else 'None']


def test_a_switch_that_is_no_switch_is_an_error():
    lines = child('from depth_anything_ros.errors import ConfigError\n'
                  'try:\n    set_up_process()\nexcept ConfigError as error:\n    print(error)',
                  DEPTH_ANYTHING_TUNE_MALLOC='maybe')
    assert lines == ["DEPTH_ANYTHING_TUNE_MALLOC is 'maybe'; accepted: 0, 1, false, true"]


def test_the_users_malloc_settings_stay():
    lines = child('print(*set_up_process().left)', MALLOC_ARENA_MAX='2')
    assert lines == ['malloc as it is: MALLOC_ARENA_MAX in the environment']


@pytest.mark.skipif(not GLIBC, reason='mallopt is glibc')
def test_the_heap_may_have_huge_pages_where_the_system_has_them():
    code = ('print("in huge pages" in str(set_up_process(tune_malloc={}).done))\n'
            'parts = open("/proc/self/smaps").read().split("[heap]")[1:]\n'
            'flags = [part.split("VmFlags:")[1].splitlines()[0].split() for part in parts]\n'
            'kilobytes = [int(part.split("kB")[0].split()[-1]) for part in parts]\n'
            'print(sum(size for size, has in zip(kilobytes, flags) if "hg" in has) > 250_000)')
    system = HUGE_PAGES.is_file() and '[never]' not in HUGE_PAGES.read_text()
    assert child(code.format(True)) == [str(system), str(system)]
    assert child(code.format(False)) == ['False', 'False']


@pytest.mark.skipif(not GLIBC, reason='mallopt is glibc')
def test_why_the_heap_has_no_huge_pages_is_said(tmp_path):
    file = tmp_path / 'enabled'
    code = ('from depth_anything_ros import process; from pathlib import Path\n'
            f'process.HUGE_PAGES = Path({str(file)!r})\n'
            'print(*set_up_process().done)')
    assert 'no huge pages: [Errno' in child(code)[0]
    file.write_text('always madvise [never]\n')
    assert 'says never' in child(code)[0]


@pytest.mark.skipif(not GLIBC, reason='mallopt is glibc')
def test_large_buffers_are_not_mapped_anew():
    code = ('import resource\n'
            'set_up_process(tune_malloc={})\n'
            'import ctypes\n'
            'libc = ctypes.CDLL(None); libc.malloc.restype = ctypes.c_void_p\n'
            'libc.free.argtypes = [ctypes.c_void_p]\n'
            'def once():\n'
            '    p = libc.malloc(6 << 20); ctypes.memset(p, 1, 6 << 20); libc.free(p)\n'
            'once()\n'
            'before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n'
            'for _ in range(20): once()\n'
            'print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)')
    tuned, = child(code.format(True))
    # 20 times 6 MB are 30 720 pages of 4 kB.
    assert int(tuned) < 1000
