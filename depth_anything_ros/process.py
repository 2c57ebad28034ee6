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
Process-wide set-up for large messages, to be called before rclpy and torch are imported.

It decides more than code does: with the default transport most images over half a megabyte are
lost between processes, and page faults of fresh buffers cost more than copying them. Nothing that
the user has set is changed, every step can be switched off, and nothing heavy is imported.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
import math
import os
from pathlib import Path
import shutil
import sys
from typing import Mapping, MutableMapping

from depth_anything_ros.errors import ConfigError

PROFILE = 'fastdds_large_images.xml'
SEGMENT_BYTES = 32 << 20
"""Shared memory that a process takes under the profile (its segment_size)."""

CLOUDS_PROFILE = 'fastdds_large_clouds.xml'
CLOUDS_SEGMENT_BYTES = 96 << 20
"""The same where there is room for ``MANY`` such processes: clouds of full HD images fit in."""

MANY = 8

PROFILE_VARIABLES = ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE')
"""Name from Fast DDS 3 (Kilted) on, and before."""

SWITCH_INTERVAL = 0.0005
"""Seconds after which a waiting thread gets the interpreter: a tenth of Python's default."""

SPINS = '10000'
"""
Looks of an OpenMP thread for more work before it sleeps, a few tenths of a millisecond.

libgomp's own 300,000 burn a core for 10 ms behind every parallel loop, those of the network
included; with this many the networks are as fast, with a tenth of it some are slower.
"""
OPENMP_WAITING = ('GOMP_SPINCOUNT', 'OMP_WAIT_POLICY')

# glibc's mallopt: M_MMAP_THRESHOLD (its maximum), M_TRIM_THRESHOLD, M_TOP_PAD, M_ARENA_MAX.
_MALLOPT = ((-3, 32 << 20), (-1, 1 << 30), (-2, 64 << 20), (-8, 1))
_MMAP_MAX, _MMAPS = -4, 65536
"""The mallopt parameter of how many buffers may have a mapping of their own, and its default."""

HUGE_PAGES = Path('/sys/kernel/mm/transparent_hugepage/enabled')
HEAP_BYTES = 256 << 20
"""Addresses of the heap that may have huge pages; memory is taken as it is used."""

_HUGE_PAGE, _MADV_HUGEPAGE = 2 << 20, 14


@dataclass(frozen=True)
class ProcessSetUp:
    """What was done, and what was left as it is and why; sentences for the log."""

    done: tuple[str, ...]
    left: tuple[str, ...]
    profile: Path | None = None
    """The Fast DDS profile that was chosen, where it was."""


_first: ProcessSetUp | None = None


def set_up_process(
    *, tune_malloc: bool | None = None, fastdds_profile: bool | None = None,
    switch_interval: bool | None = None, opencv_threads: bool | None = None,
    openmp_spins: bool | None = None,
) -> ProcessSetUp:
    """
    Set this process up once; a later call changes nothing and returns what the first one did.

    Each argument switches one step; None asks the environment variable of the same name with
    ``DEPTH_ANYTHING_`` in front (0 or 1), and where that is not set the step is done.

    :raises ConfigError: when an environment variable is neither 0 nor 1.
    """
    global _first
    if _first is None:
        done: list[str] = []
        left: list[str] = []
        profile = None
        if _wanted('fastdds_profile', fastdds_profile, left):
            profile, text = choose_profile(os.environ)
            (left if profile is None else done).append(text)
        if _wanted('tune_malloc', tune_malloc, left):
            problem = _tune_malloc(os.environ)
            if problem is None:
                small = _ask_for_huge_pages()
                done.append('malloc keeps large buffers'
                            + (f'; no huge pages: {small}' if small else ' in huge pages'))
            else:
                left.append(problem)
        if _wanted('switch_interval', switch_interval, left):
            sys.setswitchinterval(SWITCH_INTERVAL)
            done.append(f'switch interval {SWITCH_INTERVAL * 1e3:g} ms')
        if _wanted('opencv_threads', opencv_threads, left):
            # Read when OpenCV starts. Its threads gain nothing on single frames here and fight
            # with those of torch.
            os.environ.setdefault('OPENCV_FOR_THREADS_NUM', '1')
            done.append(f'OpenCV threads {os.environ["OPENCV_FOR_THREADS_NUM"]}')
        if _wanted('openmp_spins', openmp_spins, left):
            # Read when libgomp is loaded, with torch.
            users = [name for name in OPENMP_WAITING if name in os.environ]
            if users:
                left.append(f'OpenMP threads wait as {users[0]} says')
            else:
                os.environ['GOMP_SPINCOUNT'] = SPINS
                done.append('OpenMP threads soon sleep')
        _first = ProcessSetUp(tuple(done), tuple(left), profile)
    return _first


def choose_profile(environment: MutableMapping[str, str]) -> tuple[Path | None, str]:
    """
    Name the Fast DDS profile for large images in the environment, unless there is a reason not to.

    :returns: the profile, or None where nothing was changed, and the sentence that says so.
    """
    rmw = environment.get('RMW_IMPLEMENTATION', '')
    if rmw and 'fastrtps' not in rmw:
        return None, f'no Fast DDS profile: RMW_IMPLEMENTATION is {rmw}'
    images, clouds = (find_shared(f'config/{name}') for name in (PROFILE, CLOUDS_PROFILE))
    for name in (*PROFILE_VARIABLES, 'FASTDDS_BUILTIN_TRANSPORTS'):
        for profile in (images, clouds):
            if profile is not None and environment.get(name) == str(profile):
                return profile, f'Fast DDS profile {profile}'
        if environment.get(name):
            return None, f'no Fast DDS profile of ours: {name} is {environment[name]}'
    for file in ('DEFAULT_FASTDDS_PROFILES.xml', 'DEFAULT_FASTRTPS_PROFILES.xml'):
        if Path(file).is_file():
            return None, f'no Fast DDS profile of ours: {file} in the working directory is used'
    free = free_shared_memory()
    profile = images if free < MANY * CLOUDS_SEGMENT_BYTES else clouds
    if profile is None:
        return None, f'no Fast DDS profile: {PROFILE} is not installed'
    if free < 2 * SEGMENT_BYTES:
        return None, (f'no Fast DDS profile: /dev/shm has '
                      f'{int(free) >> 20} MB free, two processes need '
                      f'{2 * SEGMENT_BYTES >> 20} MB; large images may be lost (in a container: '
                      '--shm-size=512m)')
    for name in profile_variables(environment):
        environment[name] = str(profile)
    return profile, f'Fast DDS profile {profile}'


def free_shared_memory() -> float:
    """Return the bytes that /dev/shm has free, infinitely many where there is none."""
    memory = Path('/dev/shm')
    return shutil.disk_usage(memory).free if memory.is_dir() else math.inf


def variables_for_children(environment: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """
    Return what lets every process of a launch send large images through Fast DDS.

    :param environment: that of the launch, which is not changed.
    :returns: variables to set, and why there are none where there are none.
    """
    if environment.get('DEPTH_ANYTHING_FASTDDS_PROFILE') in ('0', 'false'):
        return {}, 'fastdds_profile is switched off'
    chosen = dict(environment)
    profile, text = choose_profile(chosen)
    if profile is None:
        return {}, text
    return {name: chosen[name] for name in PROFILE_VARIABLES if name in chosen}, text


def profile_variables(environment: Mapping[str, str]) -> tuple[str, ...]:
    """
    Return the variables that name the profile to the Fast DDS that is installed.

    The new one complains about the old name at every start; both are returned where it cannot be
    seen which Fast DDS it is.
    """
    prefixes = [sys.prefix, *environment.get('AMENT_PREFIX_PATH', '').split(os.pathsep)]
    new, old = (any((Path(prefix) / 'share' / name).is_dir() for prefix in prefixes if prefix)
                for name in ('fastdds', 'fastrtps'))
    if new == old:
        return PROFILE_VARIABLES
    return PROFILE_VARIABLES[:1] if new else PROFILE_VARIABLES[1:]


def find_shared(relative: str) -> Path | None:
    """
    Return an installed or source file of ``config/`` or ``launch/``, wherever this package is.

    :param relative: path below the share directory, such as ``config/depth_anything.yaml``.
    """
    # Not resolved: a symbolic link into the source tree is still installed where the link is.
    for parent in Path(__file__).parents:
        installed = parent / 'share' / 'depth_anything_ros' / relative
        if installed.is_file():
            return installed
        if (parent / 'package.xml').is_file() and (parent / relative).is_file():
            return parent / relative
    return None


def _wanted(name: str, argument: bool | None, left: list[str]) -> bool:
    """Decide one step by argument, environment and default."""
    variable = f'DEPTH_ANYTHING_{name.upper()}'
    value = os.environ.get(variable, '')
    if argument is None and value not in ('', '0', '1', 'false', 'true'):
        raise ConfigError(f'{variable} is {value!r}; accepted: 0, 1, false, true')
    wanted = value not in ('0', 'false') if argument is None else argument
    if not wanted:
        left.append(f'{name} is switched off')
    return wanted


def _tune_malloc(environment: MutableMapping[str, str]) -> str | None:
    """Set glibc's allocator to keep large buffers; return why not where it was not done."""
    users = [name for name in environment if name.startswith('MALLOC_')]
    users += [name for name in ('GLIBC_TUNABLES', 'LD_PRELOAD') if 'malloc' in
              environment.get(name, '')]
    if users:
        return f'malloc as it is: {", ".join(sorted(users))} in the environment'
    try:
        libc = os.confstr('CS_GNU_LIBC_VERSION')
        mallopt = ctypes.CDLL(None).mallopt
    except (ValueError, OSError, AttributeError):
        return 'malloc as it is: the C library is not glibc'
    refused = [parameter for parameter, value in _MALLOPT if mallopt(parameter, value) != 1]
    return f'{libc} refused mallopt parameters {refused}' if refused else None


def _ask_for_huge_pages() -> str:
    """
    Let the heap have pages of 2 MB, where a frame's buffers and Python's own objects lie.

    A frame of 640x480 goes through 25 MB: 6 000 small pages, of which a processor knows fewer.

    :returns: why it was not done, empty where it was.
    """
    try:
        if '[never]' in HUGE_PAGES.read_text():
            return f'{HUGE_PAGES} says never'
    except OSError as error:
        return str(error)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.restype, libc.free.argtypes = None, [ctypes.c_void_p]
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    # One buffer makes the heap this long, and the heap stays so when the buffer is gone.
    libc.mallopt(_MMAP_MAX, 0)
    whole = libc.malloc(HEAP_BYTES)
    libc.mallopt(_MMAP_MAX, _MMAPS)
    if not whole:
        return f'there are no {HEAP_BYTES >> 20} MB of addresses'
    first = -(-whole // _HUGE_PAGE) * _HUGE_PAGE
    last = (whole + HEAP_BYTES) // _HUGE_PAGE * _HUGE_PAGE
    refused = libc.madvise(first, last - first, _MADV_HUGEPAGE)
    problem = os.strerror(ctypes.get_errno()) if refused else ''
    libc.free(whole)
    return problem
