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

import ast
from pathlib import Path
import statistics
import sys

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / 'depth_anything_ros'
NAME = 'depth_anything_ros'
EVERYTHING = frozenset({'*'})
LONGEST, MEDIAN = 400, 150

# What each room may import of ours. A file stands for itself where it has a row (with its path),
# else for the room that it lies in.
OURS = {
    '__init__': {'api'},
    'errors': set(),
    'settings': {'errors'},
    'process': {'errors'},
    'interfaces': {'errors'},
    'loading': {'errors', 'settings'},
    'frame_options': {'errors', 'settings', 'core'},
    'core': {'errors'},
    'scenes': {'errors', 'core'},
    'messages': {'errors', 'core'},
    'engine': {'errors', 'settings', 'core'},
    'reconstruction': {'errors', 'settings', 'core'},
    'wire': {'errors', 'core', 'messages'},
    # The network of another machine: an engine by its one side, our wire form by the other.
    'remote': {'errors', 'settings', 'core', 'engine', 'wire'},
    'service': {'errors', 'settings', 'core', 'messages', 'loading', 'scenes', 'engine',
                'remote', 'reconstruction', 'watching'},
    'watching': {'core'},
    # Replicas by Ray Serve: a program too, that of a cluster.
    'ray_serve': EVERYTHING,
    'bags': {'errors', 'settings', 'core', 'messages', 'service', 'frame_options'},
    # Sessions and scenes are values and files that the WebSocket bridge hands on.
    'bridges': {'service', 'wire', 'messages', 'errors', 'settings', 'core', 'reconstruction',
                'process'},
    'ros': {'service', 'messages', 'core', 'errors', 'settings', 'frame_options',
            'reconstruction'},
    'clients': {'wire', 'messages', 'core', 'errors'},
    'api': EVERYTHING,
    'cli': EVERYTHING,
    # The programs: they choose the parts, build them and hand them over.
    'ros/node': EVERYTHING,
    'ros/demo_camera': EVERYTHING,
    # What the demo camera shows and where it stands; no part of the depth node.
    'ros/demo_sources': {'errors', 'settings', 'core', 'scenes'},
    'ros/demo_transform': {'core', 'scenes'},
}

MESSAGES = {'rclpy', 'sensor_msgs', 'std_msgs', 'std_srvs', 'diagnostic_msgs', 'lifecycle_msgs',
            'geometry_msgs', 'builtin_interfaces', 'rcl_interfaces', 'rosgraph_msgs', 'tf2_msgs',
            'tf2_ros', 'cv_bridge', 'ament_index_python'}

# What each room may import from outside, the standard library apart.
OUTSIDE = {
    '__init__': set(),
    'errors': set(),
    'settings': set(),
    'process': set(),
    'interfaces': set(),
    'loading': {'yaml'},
    'frame_options': set(),
    'core': {'numpy', 'cv2'},
    'scenes': {'numpy'},
    'messages': {'numpy'},
    'engine': {'numpy', 'torch', 'depth_anything_3', 'safetensors', 'huggingface_hub', 'cv2',
               'omegaconf', 'addict', 'einops', 'onnxruntime'},
    'reconstruction': {'numpy'},
    'wire': {'numpy', 'cv2', 'PIL', 'zstandard', 'msgpack'},
    'remote': {'numpy', 'ray'},
    'ray_serve': {'ray'},
    'service': set(),
    'watching': set(),
    'bags': {'numpy', 'cv2', 'rosbags'},
    'bridges': {'numpy', 'zmq', 'fastapi', 'starlette', 'uvicorn', 'websockets', 'aiohttp',
                'pydantic', 'multipart', 'httptools', 'prometheus_client'},
    'ros': {'numpy', 'cv2'} | MESSAGES,
    'clients': {'numpy', 'zmq', 'httpx', 'requests', 'websockets', 'aiohttp'},
    'api': {'numpy'},
    'cli': {'numpy', 'cv2', 'yaml', 'torch'} | MESSAGES,
}


def files():
    return sorted(path for path in PACKAGE.rglob('*.py') if '__pycache__' not in path.parts)


def row_of(path, table):
    """Return the row for a file, as 'room/file' where the table has that, else its room."""
    parts = path.relative_to(PACKAGE).with_suffix('').parts
    exact = '/'.join(parts)
    return exact if exact in table else parts[0]


def imports(path):
    """Yield (line, dotted module) of all imports, also those inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path}:{node.lineno}: relative import'
            if node.module == NAME:
                for alias in node.names:
                    yield node.lineno, f'{NAME}.{alias.name}'
            else:
                yield node.lineno, node.module


def wrong_arrows(path):
    ours = row_of(path, OURS)
    outside = row_of(path, OUTSIDE)
    where = path.relative_to(PACKAGE)
    if ours not in OURS or outside not in OUTSIDE:
        yield f'{where}: no row in the table for {ours}'
        return
    room = where.with_suffix('').parts[0]
    for line, module in imports(path):
        top, _, rest = module.partition('.')
        if top == NAME:
            target = rest.split('.')[0]
            if target in ('srv', 'msg'):
                if str(where) != 'ros/interfaces.py':
                    yield f'{where}:{line}: {module}; only ros/interfaces.py imports interfaces'
            elif target != room and OURS[ours] != EVERYTHING and target not in OURS[ours]:
                yield f'{where}:{line}: {ours} -> {target} is not an arrow of the design'
        elif top not in sys.stdlib_module_names and top not in OUTSIDE[outside]:
            yield f'{where}:{line}: {outside} may not import {module}'
        if module.startswith('depth_anything_3.api'):
            yield f'{where}:{line}: {module} pulls in what the network does not need'


def test_imports_follow_the_design():
    wrong = [text for path in files() for text in wrong_arrows(path)]
    assert not wrong, '\n'.join(wrong)


def test_every_room_has_a_row():
    rooms = {p.name if p.is_dir() else p.stem for p in PACKAGE.iterdir()
             if p.suffix == '.py' or (p.is_dir() and any(p.glob('*.py')))}
    assert not rooms - set(OURS) - {'srv', 'msg'}


@pytest.mark.parametrize('place, source', [
    ('core/bad.py', 'import torch'),
    ('core/bad.py', 'from depth_anything_ros.engine import base'),
    ('core/bad.py', 'def late():\n    from depth_anything_ros import service'),
    ('engine/bad.py', 'import rclpy.node'),
    ('engine/bad.py', 'from depth_anything_3.api import DepthAnything3'),
    ('ros/bad.py', 'import torch'),
    ('ros/bad.py', 'from depth_anything_ros.srv import EstimateDepth'),
    ('ros/services/bad.py', 'from depth_anything_ros.srv import EstimateDepth'),
    ('bridges/bad.py', 'from depth_anything_ros.engine.da3 import load'),
    ('errors.py', 'import numpy'),
    ('strange/bad.py', 'import os'),
])
def test_a_wrong_arrow_is_seen(monkeypatch, tmp_path, place, source):
    monkeypatch.setattr(sys.modules[__name__], 'PACKAGE', tmp_path)
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    assert list(wrong_arrows(path))


def lengths():
    return {str(path.relative_to(PACKAGE)): len(path.read_text(encoding='utf-8').splitlines())
            for path in files()}


def test_files_are_short():
    found = lengths()
    assert not {name: count for name, count in found.items() if count > LONGEST}
    assert statistics.median(found.values()) < MEDIAN


def test_nothing_unpickles():
    for path in files():
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            where = f'{path.relative_to(PACKAGE)}:{getattr(node, "lineno", 0)}'
            if isinstance(node, ast.Attribute):
                owner = node.value.id if isinstance(node.value, ast.Name) else ''
                assert node.attr != 'recv_pyobj', where
                assert owner not in ('pickle', 'cPickle', '_pickle', 'dill') or node.attr not in (
                    'load', 'loads', 'Unpickler'), where
            if isinstance(node, ast.ImportFrom) and node.module == 'pickle':
                assert not {alias.name for alias in node.names} & {'load', 'loads', 'Unpickler'}, \
                    where
            if isinstance(node, ast.keyword) and node.arg == 'allow_pickle':
                assert isinstance(node.value, ast.Constant) and node.value.value is False, where
            if isinstance(node, ast.keyword) and node.arg == 'weights_only':
                assert isinstance(node.value, ast.Constant) and node.value.value is True, where


def test_only_numpy_is_needed_to_import_the_package():
    import subprocess
    code = (f'import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); import {NAME};'
            f'import {NAME}.core.frame, {NAME}.settings, {NAME}.process, {NAME}.interfaces;'
            'print(" ".join(sorted(m for m in sys.modules if m in ("torch", "rclpy", "cv2"))))')
    out = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == []
