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

"""``depth-anything doctor``: what is installed, what is missing, and what to do about it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
import importlib
import importlib.util
import os
from pathlib import Path
import platform
import shutil
import subprocess
import sys
from typing import Callable

from depth_anything_ros.interfaces import ros_problem

HELP = 'Say what is installed, what is missing, and why something will not work.'

NETWORK_COMMAND = 'pip install --no-deps depth-anything-3==0.1.1'
SHM_NEEDED = 64 << 20


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``advice`` is empty when it is well."""

    topic: str
    seen: str
    advice: str = ''
    needed: bool = True
    """Whether depth cannot be estimated at all without it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments: none."""


def run(arguments: argparse.Namespace) -> int:
    """Print all findings; 1 when something that every use needs is missing."""
    findings = [check() for check in CHECKS]
    for finding in findings:
        mark = 'ok     ' if not finding.advice else ('MISSING' if finding.needed else 'note   ')
        print(f'{mark} {finding.topic:<12} {finding.seen}')
        if finding.advice:
            print(f'{"":>20} -> {finding.advice}')
    broken = [finding for finding in findings if finding.advice and finding.needed]
    ros = ros_problem() is None
    print()
    print('engine, Python API, command line: ' + ('ready' if not broken else 'not ready'))
    print('ROS node:                         '
          + ('ready' if ros and not broken else 'not ready'))
    return 1 if broken else 0


def python() -> Finding:
    """Look at the interpreter and the environment it belongs to."""
    where = 'virtual environment' if sys.prefix != sys.base_prefix else 'no virtual environment'
    seen = f'{platform.python_version()} at {sys.executable} ({where})'
    old = sys.version_info < (3, 10)
    return Finding('python', seen, 'Python 3.10 or newer is needed' if old else '')


def package(module: str, advice: str) -> Finding:
    """Look at one Python package that is always needed."""
    try:
        version = getattr(importlib.import_module(module), '__version__', 'present')
    except Exception as error:
        return Finding(module, f'does not import: {error}', advice)
    return Finding(module, str(version))


def network() -> Finding:
    """Look at Depth Anything 3's network modules, which is all that is used of it."""
    try:
        from depth_anything_ros.engine.models import find
        from depth_anything_ros.engine.network import build
        build(find('da3-small'))
    except Exception as error:
        return Finding('network', f'cannot be built: {error}', NETWORK_COMMAND)
    return Finding('network', 'depth-anything-3, network modules only')


def cuda() -> Finding:
    """Look at the GPU as torch sees it."""
    try:
        import torch
    except Exception:
        return Finding('cuda', 'unknown without torch', needed=False)
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        return Finding('cuda', f'{", ".join(names)} (torch built for CUDA {torch.version.cuda})')
    if torch.version.cuda is None:
        return Finding('cuda', f'torch {torch.__version__} is a CPU build',
                       'install a CUDA build of torch for a GPU; a CPU works, slowly', False)
    return Finding('cuda', f'torch is built for CUDA {torch.version.cuda} and sees no GPU',
                   'check nvidia-smi: the driver must be at least as new as that CUDA', False)


def kernels() -> Finding:
    """Look at the compiled passes of the frame path."""
    try:
        from depth_anything_ros.engine.native import load
    except ImportError as error:
        return Finding('frame path', f'not looked at: {error}', needed=False)
    found, problem = load()
    if found is None:
        return Finding('frame path', 'not compiled: numpy and OpenCV do it', problem, False)
    return Finding('frame path', f'compiled ({found.path})', needed=False)


def ros() -> Finding:
    """Look at rclpy, the message packages and our generated services."""
    problem = ros_problem()
    distro = os.environ.get('ROS_DISTRO', 'from wheels')
    if problem:
        return Finding('ros', 'the node cannot start', problem, False)
    return Finding('ros', f'rclpy and the generated services are here ({distro})', needed=False)


def ros_python() -> Finding:
    """Look whether programs that ``ros2 run`` starts see this Python's torch."""
    python3 = shutil.which('python3')
    if python3 is None or ros_problem():
        return Finding('ros2 run', 'not looked at', needed=False)
    probe = subprocess.run(
        [python3, '-c', 'import torch'], capture_output=True, text=True, check=False)
    if probe.returncode == 0:
        return Finding('ros2 run', f'uses {python3}, which has torch', needed=False)
    return Finding(
        'ros2 run', f'uses {python3}, which has no torch',
        'activate the virtual environment that has torch before ros2 run or ros2 launch', False)


def cv_bridge() -> Finding:
    """Look at cv_bridge, which is only a fallback here but often clashes with numpy 2."""
    if importlib.util.find_spec('cv_bridge') is None:
        return Finding('cv_bridge', 'not installed, and not needed', needed=False)
    try:
        importlib.import_module('cv_bridge').CvBridge()
    except Exception as error:
        return Finding(
            'cv_bridge', f'does not work here: {error}',
            'this package does not need it; others may want numpy<2 and opencv-python<5', False)
    return Finding('cv_bridge', 'works', needed=False)


def shared_memory() -> Finding:
    """Look at the room for large images between processes."""
    folder = Path('/dev/shm')
    if not folder.is_dir():
        return Finding('/dev/shm', 'not there', 'large images then go through UDP', False)
    free = shutil.disk_usage(folder).free
    advice = ''
    if free < SHM_NEEDED:
        advice = 'large images may be lost; give a container --shm-size=512m, or remove stale ' \
                 'segments with: fastdds shm clean'
    return Finding('/dev/shm', f'{free >> 20} MiB free', advice, False)


def weights() -> Finding:
    """Look which models' weights are on this machine."""
    try:
        from depth_anything_ros.cli.models import is_here
        from depth_anything_ros.engine.models import MODELS
    except ImportError as error:
        return Finding('weights', f'not looked at: {error}', needed=False)
    here = [model.name for model in MODELS if is_here(model)]
    missing = '' if len(here) > 1 else 'fetch some: depth-anything models --download NAME'
    return Finding('weights', ', '.join(here) or 'none', missing, False)


CHECKS: tuple[Callable[[], Finding], ...] = (
    python,
    lambda: package('numpy', 'pip install "numpy>=1.26"'),
    lambda: package('cv2', 'pip install opencv-python-headless'),
    lambda: package('torch', 'pip install torch'),
    lambda: package('einops', 'pip install einops'),
    lambda: package('omegaconf', 'pip install omegaconf'),
    lambda: package('addict', 'pip install addict'),
    lambda: package('safetensors', 'pip install safetensors'),
    network, kernels, cuda, weights, ros, ros_python, cv_bridge, shared_memory,
)
