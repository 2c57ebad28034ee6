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
The way of pip; colcon follows CMakeLists.txt (the build type that package.xml names).

What every ROS package installs is listed here as in an ament_python package. What has to be
generated and compiled from ``srv/`` comes from the same CMake project that colcon runs, against
a sourced ROS 2 or the ROS 2 wheels that pip fetched for the build. The passes over whole images
in ``native/`` need a C compiler alone ($CC, cc, gcc or clang); without one they are left out.

DEPTH_ANYTHING_INTERFACES = ``auto`` (default: build the interfaces where ROS 2, cmake and a
compiler are there, else leave them out and say so), ``require`` or ``skip``.
"""

from __future__ import annotations

from functools import lru_cache
from glob import glob
import os
from pathlib import Path
import re
import shlex
import shutil
import subprocess
import sys

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

NAME = 'depth_anything_ros'
HERE = Path(__file__).resolve().parent
SHARE = f'share/{NAME}'
CHOICE = 'DEPTH_ANYTHING_INTERFACES'


def package_version(xml: Path) -> str:
    """Return the version that a package.xml states."""
    found = re.search(r'<version>\s*([^<\s]+)', xml.read_text(encoding='utf-8'))
    if found is None:
        raise SystemExit(f'{xml} states no <version>')
    return found.group(1)


def ros_prefixes() -> list[Path]:
    """Return where ROS 2's CMake packages are: those of a sourced ROS 2, else the wheels'."""
    marker = 'share/rosidl_default_generators/cmake'
    sourced = [Path(p) for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    if any((prefix / marker).is_dir() for prefix in sourced):
        return sourced
    parents = (p for entry in sys.path for p in Path(entry or '.').resolve().parents)
    return list(dict.fromkeys(p for p in parents if (p / marker).is_dir()))


def what_is_missing(prefixes: list[Path]) -> str | None:
    """Say why the interfaces cannot be built here, or return None where they can."""
    if not prefixes:
        return ('no ROS 2 was found: neither a sourced one (AMENT_PREFIX_PATH) nor its wheels, '
                'which exist for x86_64 Linux only')
    if shutil.which('cmake') is None:
        return 'cmake was not found'
    if not any(shutil.which(name) for name in (os.environ.get('CXX', 'c++'), 'g++', 'clang++')):
        return 'no C++ compiler was found (Debian, Ubuntu: apt install g++)'
    return None


def check_same_distribution(prefixes: list[Path]) -> None:
    """
    Stop where the interfaces would be built for another ROS than the environment runs.

    pip's isolated build takes the newest wheels; an environment with older ones could not load
    what they generate.
    """
    manifest = 'share/rosidl_runtime_c/package.xml'
    running = Path(sys.prefix) / manifest
    building = next((p / manifest for p in prefixes if (p / manifest).is_file()), None)
    if building is None or not running.is_file():
        return
    here, there = package_version(running), package_version(building)
    if here.split('.')[0] != there.split('.')[0]:
        raise SystemExit(
            f'this environment has ROS 2 wheels with rosidl {here}, the build has {there}; '
            'install the matching generators into the environment and use '
            f'pip install --no-build-isolation, or set {CHOICE}=skip')


@lru_cache(maxsize=1)
def interfaces_wanted() -> bool:
    """Decide whether to build the interfaces; say loudly where they are left out."""
    choice = os.environ.get(CHOICE, 'auto')
    if choice not in ('auto', 'require', 'skip'):
        raise SystemExit(f'{CHOICE} is {choice!r}; accepted: auto, require, skip')
    if choice == 'skip':
        reason: str | None = f'{CHOICE}=skip'
    else:
        prefixes = ros_prefixes()
        reason = what_is_missing(prefixes)
        if reason is None:
            check_same_distribution(prefixes)
            return True
        if choice == 'require':
            raise SystemExit(f'cannot build the ROS interfaces: {reason}')
    print(f'\n*** {NAME}: the ROS 2 interfaces (srv/) are LEFT OUT: {reason}.\n'
          '*** The Python API, the command and the bridges work; the ROS node does not.\n',
          file=sys.stderr)
    return False


def c_compiler() -> list[str]:
    """Return the command of the C compiler, empty where there is none."""
    named = shlex.split(os.environ.get('CC', ''))
    names = [named] if named else [['cc'], ['gcc'], ['clang']]
    return next((name for name in names if shutil.which(name[0])), [])


def compile_kernels(target: Path) -> None:
    """Compile ``native/``; where that cannot be done say loudly that the library is left out."""
    compiler, reason = c_compiler(), 'no C compiler was found (Debian, Ubuntu: apt install gcc)'
    if compiler:
        target.parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [*compiler, f'@{HERE}/native/options', '-o', str(target),
             *map(str, sorted(HERE.glob('native/*.c')))], capture_output=True, text=True)
        reason = f'{shlex.join(compiler)} failed: {done.stderr}' if done.returncode else ''
    if reason:
        print(f'\n*** {NAME}: the compiled frame path (native/) is LEFT OUT: {reason}.\n'
              '*** All works without it; frames on the CPU take longer.\n', file=sys.stderr)


class BuildWithInterfaces(build_py):
    """Copy the modules, then add what is compiled: the kernels, and what CMake makes of srv/."""

    def run(self) -> None:
        """Build."""
        if self.editable_mode:
            raise SystemExit('pip install -e cannot install the compiled interfaces where the '
                             'loader finds them; scripts/setup makes a development install')
        # From nothing, or modules that are gone from the source stay in the wheel.
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        compile_kernels(Path(self.build_lib) / NAME / 'native/libframe_kernels.so')
        if interfaces_wanted():
            self.add(self.run_cmake(ros_prefixes()))

    def run_cmake(self, prefixes: list[Path]) -> Path:
        """Return the folder that the CMake project was installed to."""
        # Always from nothing: CMake's cache names the build environment of an earlier call.
        build = Path(self.get_finalized_command('build').build_temp).absolute()
        shutil.rmtree(build, ignore_errors=True)
        stage = build / 'stage'
        libraries = [str(p / 'lib') for p in prefixes] + [os.environ.get('LD_LIBRARY_PATH', '')]
        packages = [p for p in sys.path if p.endswith('-packages')]
        packages += [p for prefix in prefixes for p in glob(f'{prefix}/**/*-packages')]
        environment = dict(
            os.environ, AMENT_PREFIX_PATH=os.pathsep.join(map(str, prefixes)),
            PYTHONPATH=os.pathsep.join(dict.fromkeys(packages)),
            LD_LIBRARY_PATH=os.pathsep.join(p for p in libraries if p))
        configure = [
            'cmake', '-S', str(HERE), '-B', str(build / 'cmake'), '-DCMAKE_BUILD_TYPE=Release',
            f'-DCMAKE_INSTALL_PREFIX={stage}',
            f'-DCMAKE_PREFIX_PATH={";".join(map(str, prefixes))}',
            f'-DPython3_EXECUTABLE={sys.executable}', '-DBUILD_TESTING=OFF',
            # The modules are copied by setuptools; no symbolic links into a folder that goes.
            '-DDEPTH_ANYTHING_DEVELOP=ON', '-DAMENT_CMAKE_SYMLINK_INSTALL=OFF',
            '-DPYTHON_INSTALL_DIR=python']
        subprocess.check_call(configure, env=environment)
        subprocess.check_call(
            ['cmake', '--build', str(build / 'cmake'), '--parallel', '--target', 'install'],
            env=environment)
        return stage

    def add(self, stage: Path) -> None:
        """Add the generated modules, libraries and index entries to what is installed."""
        generated = stage / 'python' / NAME
        for path in generated.rglob('*'):
            target = Path(self.build_lib) / NAME / path.relative_to(generated)
            # Our __init__.py is there already and stays.
            if path.suffix in ('.py', '.so') and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target)
        for pattern in ('lib/*.so', f'{SHARE}/srv/*',
                        'share/ament_index/resource_index/rosidl_interfaces/*'):
            for path in sorted(stage.glob(pattern)):
                self.distribution.data_files.append(
                    (str(path.parent.relative_to(stage)), [str(path)]))


class PackageDistribution(Distribution):
    """A wheel is bound to this platform only where it holds something compiled."""

    def has_ext_modules(self) -> bool:
        """Return whether this build has compiled parts."""
        return interfaces_wanted() or bool(c_compiler())


setup(
    version=package_version(HERE / 'package.xml'),
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (SHARE, ['package.xml']),
        (f'{SHARE}/launch', sorted(glob('launch/*.py'))),
        (f'{SHARE}/config', sorted(p for p in glob('config/*') if os.path.isfile(p))),
        (f'lib/{NAME}', sorted(glob('scripts/nodes/*'))),
    ],
    cmdclass={'build_py': BuildWithInterfaces},
    distclass=PackageDistribution,
)
