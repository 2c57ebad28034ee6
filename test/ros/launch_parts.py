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
The real ``ros2 launch``, with stand-ins for the processes where only their start matters.

launch, launch_ros and ros2cli have no wheels: beside the ROS wheels their sources have to be on
PYTHONPATH, installed with ``pip install --no-deps --target``.
"""

from contextlib import contextmanager
import importlib.util
import json
import os
from pathlib import Path
import signal
import subprocess
import sys

from depth_anything_ros.process import PROFILE_VARIABLES
import pytest
import yaml

ROOT = Path(__file__).parents[2]
needs_launch = pytest.mark.skipif(
    importlib.util.find_spec('launch_ros') is None or importlib.util.find_spec('ros2cli') is None,
    reason='launch_ros and ros2cli are not installed (they have no wheel)')

STAND_IN = """#!{python}
import json, os, pathlib, sys
path = pathlib.Path({folder!r}) / (pathlib.Path(__file__).name + '.json')
words = sys.argv[1:]
files = [(name, pathlib.Path(name).read_text())
         for flag, name in zip(words, words[1:]) if flag == '--params-file']
if path.exists():
    path = path.with_suffix('.again')
whole = path.with_suffix('.part')
whole.write_text(json.dumps([words, files, dict(os.environ)]))
whole.rename(path)
"""

STOOD_FOR = {
    'depth_anything_ros': ('depth_node', 'demo_camera'), 'rviz2': ('rviz2',),
    'tf2_ros': ('static_transform_publisher',)}


def launch(file, *arguments, **options):
    """Start ``ros2 launch`` of a launch file of ours."""
    program = 'import sys; from ros2cli.cli import main; sys.exit(main())'
    return subprocess.Popen(
        [sys.executable, '-c', program, 'launch', str(ROOT / 'launch' / file), *arguments],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        **options)


@contextmanager
def launched(file, *arguments, interrupts=1, **options):
    """Launch for the length of a block, then end it as Ctrl+C does; gives what it has said."""
    process, said = launch(file, *arguments, **options), []
    try:
        yield said
    finally:
        for _ in range(interrupts):
            os.killpg(process.pid, signal.SIGINT)
        try:
            said.append(process.communicate(timeout=20)[0])
        finally:
            process.kill()


def shown_arguments(file):
    """Return the names that ``--show-args`` lists, and the whole text."""
    out, _ = launch(file, '--show-args').communicate(timeout=60)
    return [line.strip()[1:-2] for line in out.splitlines()
            if line.startswith("    '") and line.endswith("':")], out


def with_stand_ins(folder, packages=tuple(STOOD_FOR), **environment):
    """Make programs that only write down how they were started, and return the environment."""
    prefix = folder / 'prefix'
    for package in packages:
        marker = prefix / 'share' / 'ament_index' / 'resource_index' / 'packages' / package
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        for name in STOOD_FOR[package]:
            program = prefix / 'lib' / package / name
            program.parent.mkdir(parents=True, exist_ok=True)
            program.write_text(STAND_IN.format(python=sys.executable, folder=str(folder)))
            program.chmod(0o755)
    paths = [str(prefix), os.environ.get('AMENT_PREFIX_PATH', sys.prefix)]
    # This process has chosen the profile of Fast DDS for itself already.
    own = {name: value for name, value in os.environ.items() if name not in PROFILE_VARIABLES}
    return {**own, 'AMENT_PREFIX_PATH': os.pathsep.join(paths), **environment}


def started(file, *arguments, folder, **given):
    """
    Launch with stand-ins and return what each process was started with, and what was said.

    Each is a flat mapping: ``namespace``, ``remap NAME``, ``param NAME`` (the last file that names
    it wins, as in ROS), ``files``, ``log_level``, ``words`` and ``env NAME``.
    """
    process = launch(file, *arguments, env=with_stand_ins(folder, **given))
    out, _ = process.communicate(timeout=60)
    return {path.stem: flat(*json.loads(path.read_text()))
            for path in folder.glob('*.json')}, out


def flat(words, files, environment):
    """Return how a process was started as a flat mapping."""
    found = {f'env {name}': value for name, value in environment.items()}
    found['words'], found['files'] = words, [name for name, _ in files]
    for flag, word in zip(words, words[1:]):
        if flag == '-r':
            name, _, target = word.partition(':=')
            found['namespace' if name == '__ns' else f'remap {name}'] = target
        elif flag == '--log-level':
            found['log_level'] = word
    for _, text in files:
        # launch_ros writes lists with a tag of Python's, which rcl does not look at.
        for node in yaml.safe_load(text.replace('!!python/tuple', '')).values():
            for name, value in leaves(node['ros__parameters']):
                found[f'param {name}'] = value
    return found


def leaves(group, prefix=''):
    """Return every parameter of a file by dotted name."""
    for name, value in group.items():
        if isinstance(value, dict):
            yield from leaves(value, f'{prefix}{name}.')
        else:
            yield prefix + name, value
