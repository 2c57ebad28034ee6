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

import configparser
from pathlib import Path
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

from packaging.requirements import Requirement
import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = None

ROOT = Path(__file__).resolve().parents[1]

# Too heavy, GPL, or broken with numpy 2; the network needs none of them.
FORBIDDEN = {'open3d', 'xformers', 'evo', 'plyfile', 'torchvision', 'moviepy', 'pycolmap'}
PIP_ONLY_OVER_ROSDEP = {'cv-bridge', 'sensor-msgs-py'}

# Names that rosdep resolves in Humble, Jazzy, Kilted, Lyrical and Rolling (ros/rosdistro,
# 2026-08-22): released packages, and keys of rosdep/python.yaml.
ROSDEP = {
    'ament_cmake', 'ament_cmake_python', 'rosidl_default_generators', 'rosidl_default_runtime',
    'sensor_msgs', 'std_msgs', 'std_srvs', 'diagnostic_msgs', 'lifecycle_msgs', 'geometry_msgs',
    'builtin_interfaces', 'rcl_interfaces', 'rclpy', 'ament_index_python', 'launch', 'launch_ros',
    'tf2_ros', 'tf2_msgs', 'rviz2', 'cv_bridge', 'sensor_msgs_py', 'ament_cmake_pytest',
    'ament_lint_auto', 'ament_cmake_copyright', 'ament_cmake_flake8', 'ament_cmake_pep257',
    'ament_cmake_xmllint', 'python3-numpy', 'python3-opencv', 'python3-yaml', 'python3-zmq',
    'python3-pytest',
}

# REP 149: the order is free, the names are not, and these may stand once only.
ELEMENTS = {
    'name', 'version', 'description', 'maintainer', 'license', 'url', 'author', 'build_depend',
    'build_export_depend', 'buildtool_depend', 'buildtool_export_depend', 'exec_depend', 'depend',
    'doc_depend', 'test_depend', 'conflict', 'replace', 'group_depend', 'member_of_group',
    'export'}
ONCE = {'name', 'version', 'description', 'export'}


@pytest.fixture(scope='module')
def manifest():
    return ElementTree.parse(ROOT / 'package.xml').getroot()


def requirements(name):
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [Requirement(line) for line in lines if line.strip() and not line.startswith('#')]


def all_requirements():
    return {path.stem: requirements(path.stem) for path in (ROOT / 'requirements').glob('*.txt')}


def dependencies(manifest):
    return {(child.tag, child.text) for child in manifest if child.tag.endswith('depend')
            and child.tag != 'group_depend'}


def test_package_xml_follows_format_3(manifest):
    assert manifest.tag == 'package' and manifest.get('format') == '3'
    tags = [child.tag for child in manifest]
    assert set(tags) <= ELEMENTS
    assert all(tags.count(tag) == 1 for tag in ONCE)
    assert re.fullmatch(r'[a-z][a-z0-9_]*', manifest.findtext('name'))
    assert re.fullmatch(r'\d+\.\d+\.\d+', manifest.findtext('version'))
    assert manifest.findtext('license') == 'Apache-2.0'
    assert '@' in manifest.find('maintainer').get('email')
    assert manifest.findtext('export/build_type') == 'ament_cmake'
    assert manifest.findtext('member_of_group') == 'rosidl_interface_packages'


def test_catkin_pkg_reads_package_xml_without_warning():
    package = pytest.importorskip('catkin_pkg.package')
    warnings = []
    parsed = package.parse_package(str(ROOT / 'package.xml'), warnings=warnings)
    parsed.validate(warnings=warnings)
    assert not warnings


def test_rosdep_knows_every_dependency(manifest):
    names = {name for _, name in dependencies(manifest)}
    assert not names - ROSDEP
    assert {'rclpy', 'sensor_msgs', 'cv_bridge', 'sensor_msgs_py', 'launch_ros'} <= names


def test_no_dependency_is_written_twice(manifest):
    run = [child.text for child in manifest if child.tag in ('depend', 'exec_depend')]
    assert len(run) == len(set(run))


def test_every_imported_ros_package_is_declared(manifest):
    names = {name for tag, name in dependencies(manifest) if tag in ('depend', 'exec_depend')}
    imported = set()
    for path in [*(ROOT / 'depth_anything_ros').rglob('*.py'), *(ROOT / 'launch').glob('*.py')]:
        imported |= set(re.findall(r'^\s*(?:from|import) (\w+)', path.read_text(), re.M))
    assert not imported & ROSDEP - names


def test_nothing_forbidden_is_required(manifest):
    named = {name for _, name in dependencies(manifest)}
    assert not {name.removeprefix('python3-').removesuffix('-pip') for name in named} & FORBIDDEN
    for file, found in all_requirements().items():
        names = {requirement.name.lower() for requirement in found}
        assert not names & FORBIDDEN, file
        assert not names & PIP_ONLY_OVER_ROSDEP, file


def test_pip_never_resolves_the_networks_own_requirements():
    parser = configparser.ConfigParser()
    parser.read(ROOT / 'setup.cfg')
    assert 'depth-anything-3' not in {r.name for r in requirements('runtime')}
    assert parser['options']['install_requires'] == 'file: requirements/runtime.txt'
    for path in (ROOT / 'requirements').glob('*.txt'):
        if path.stem != 'network':
            assert 'depth-anything-3' not in {r.name for r in requirements(path.stem)}
    assert [str(r) for r in requirements('network')] == ['depth-anything-3==0.1.1']
    assert '--no-deps -r "$ROOT/requirements/network.txt"' in (
        ROOT / 'scripts/environment').read_text()


@pytest.mark.skipif(tomllib is None, reason='needs tomllib of Python 3.11')
def test_isolated_build_and_build_requirements_are_one_list():
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text())
    listed = {str(Requirement(text)) for text in project['build-system']['requires']}
    assert listed == {str(requirement) for requirement in requirements('build')}


def test_ros_wheels_are_asked_for_only_where_they_exist():
    for file, found in all_requirements().items():
        for requirement in found:
            if requirement.name.startswith('ros-'):
                assert requirement.marker is not None, f'{requirement} in {file}'
                assert not requirement.marker.evaluate({'platform_machine': 'aarch64'})
                assert requirement.marker.evaluate(
                    {'platform_machine': 'x86_64', 'sys_platform': 'linux'})


def test_numpy_1_26_and_2_are_accepted():
    numpy = next(r for r in requirements('runtime') if r.name == 'numpy')
    assert numpy.specifier.contains('1.26.4') and numpy.specifier.contains('2.4.0')


def test_the_programs_take_the_active_python():
    programs = sorted((ROOT / 'scripts/nodes').iterdir())
    assert [path.name for path in programs] == ['demo_camera', 'depth-anything', 'depth_node']
    for path in programs:
        assert path.read_text().startswith('#!/usr/bin/env python3\n')
        assert path.stat().st_mode & 0o111


def test_no_registry_or_machine_is_named():
    listed = subprocess.run(['git', 'ls-files'], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip('not a git checkout')
    hosts = ('py' + 'pi.org', 'pytorch' + '.org/whl', 'python' + 'hosted')
    for name in listed.stdout.split('\n'):
        path = ROOT / name
        if not name or not path.is_file() or path.suffix in ('.png', '.jpg', '.safetensors'):
            continue
        text = path.read_bytes()
        assert not [host for host in hosts if host.encode() in text], name
        assert b'/wo' + b'rk/' not in text, name


def test_generated_interfaces_say_what_the_source_says():
    srv = pytest.importorskip('depth_anything_ros.srv')
    source = (ROOT / 'srv/EstimateDepth.srv').read_text()
    lines = [line for line in source.splitlines() if line and not line.startswith('#')]
    request, response = (part.split('\n') for part in '\n'.join(lines).split('\n---\n'))

    def fields(part):
        return {name: kind for kind, name in (line.split() for line in part)}

    assert srv.EstimateDepth.Request.get_fields_and_field_types() == {
        name: {'float32': 'float', 'bool': 'boolean'}.get(kind, kind)
        for name, kind in fields(request).items()}
    assert set(srv.EstimateDepth.Response.get_fields_and_field_types()) == set(fields(response))
