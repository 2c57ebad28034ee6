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

"""What the demo will do, checked before anything is started."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
import json
import math
from pathlib import Path
from typing import Mapping

import cv2
from depth_anything_ros.cli.models import is_here
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.engine.models import find, Model
from depth_anything_ros.engine.weights import BUNDLED, locate
from depth_anything_ros.errors import ConfigError, UnknownModel
from depth_anything_ros.ros.demo_settings import demo_camera_settings
from depth_anything_ros.ros.demo_sources import open_source
from depth_anything_ros.settings import Value

LONGEST_SIDE = 1280
"""Own pictures that are larger are made smaller: the demo is about depth, not about bandwidth."""

ASSUMED_FOV_DEG = 60.0
TINY = 'da3-tiny'


@dataclass(frozen=True)
class Plan:
    """
    The parameters of both programs and what the report must say about them.

    ``truth``: whether the source knows the exact depth. ``frames``: how many images are sent.
    """

    title: str
    model: Model
    camera: Mapping[str, Value]
    node: Mapping[str, Value]
    frames: int
    rate: float
    truth: bool
    notes: tuple[str, ...]

    @property
    def relative(self) -> bool:
        """Return whether the model's depth has no unit."""
        return self.model.kind is DepthKind.RELATIVE


def make_plan(arguments: argparse.Namespace) -> Plan:
    """
    Return the plan for the command line; fetches the weights that were asked for by name.

    :raises ConfigError: when a source cannot be read or a value is not accepted.
    :raises ModelLoadFailed: when the weights are not to be had.
    """
    notes: list[str] = []
    camera = source_of(arguments)
    camera.update({'rate': arguments.rate, 'width': arguments.width, 'min_subscribers': 2})
    title = f'{camera["source"]} {camera.get("path", camera.get("room"))}'
    truth = camera['source'] == 'room'
    seconds = arguments.seconds
    if not truth:
        seconds = min(seconds, fit(camera, notes))
    model = wanted_model(arguments.model)
    if arguments.fov:
        camera['fov_deg'] = arguments.fov
    elif not truth and model.kind is not DepthKind.RELATIVE:
        camera['fov_deg'] = ASSUMED_FOV_DEG
        notes.append(f'the field of view is not known: {ASSUMED_FOV_DEG:g} degrees were assumed, '
                     'and every metre is as right as that; give --fov')
    if not truth and model.name == TINY:
        notes.append(f'{TINY} knows its demo rooms and the like; for real pictures take '
                     '--model da3metric-large (metres) or --model da3-small (relative)')
    camera['frames'] = frames = max(1, round(seconds * arguments.rate))
    demo_camera_settings(camera)
    node: dict[str, Value] = {
        'model.name': arguments.model, 'model.device': arguments.device,
        'diagnostic_updater.period': 0.2}
    return Plan(title, model, camera, node, frames, arguments.rate, truth, tuple(notes))


def source_of(arguments: argparse.Namespace) -> dict[str, Value]:
    """Return the camera's parameters that name its source."""
    for source in ('image', 'video', 'folder', 'v4l'):
        path = getattr(arguments, source)
        if path is not None:
            return {'source': source, 'path': str(Path(path).expanduser().absolute())}
    return {'source': 'room', 'room': arguments.room}


def fit(camera: dict[str, Value], notes: list[str]) -> float:
    """
    Open a user's own source once: it must be readable, and neither too large nor too short.

    :param camera: the camera's parameters; a smaller size is added where it is needed.
    :param notes: gets what was changed.
    :returns: how many seconds there are, infinite where it does not end.
    """
    if camera['source'] == 'v4l':
        return math.inf
    shot = open_source(demo_camera_settings(camera)).read(0)
    if shot is None:
        raise ConfigError(f'{camera["path"]} holds no pictures')
    height, width = shot.rgb.shape[:2]
    if max(width, height) > LONGEST_SIDE:
        scale = LONGEST_SIDE / max(width, height)
        camera['width'], camera['height'] = round(width * scale), round(height * scale)
        notes.append(f'the pictures of {width}x{height} were made smaller: '
                     f'{camera["width"]}x{camera["height"]}')
    if camera['source'] != 'video':
        return math.inf
    video = cv2.VideoCapture(str(camera['path']))
    pictures, fps = video.get(cv2.CAP_PROP_FRAME_COUNT), video.get(cv2.CAP_PROP_FPS)
    video.release()
    return pictures / fps if pictures > 0 and fps > 0 else math.inf


def wanted_model(name: str) -> Model:
    """Return the model of a name or path, its weights on this machine, fetched where need be."""
    try:
        known = find(name)
    except UnknownModel:
        return locate(name).model
    if not is_here(known):
        print(f'fetching the weights of {known.name} from {known.repo} '
              f'(licence {known.licence}) ...', flush=True)
    return locate(name, download=True).model


def stated_accuracy(model: Model) -> dict[str, dict[str, float]]:
    """Return what the model card says about a bundled model, empty for any other."""
    path = BUNDLED / model.name / 'accuracy.json'
    if model.repo or not path.is_file():
        return {}
    content: dict[str, dict[str, float]] = json.loads(path.read_text(encoding='utf-8'))
    return content


def parameter_file(path: Path, parameters: Mapping[str, Value]) -> Path:
    """Write parameters as a ROS parameter file, in which JSON's values are YAML's."""
    lines = ['/**:', '  ros__parameters:']
    lines += [f'    {name}: {json.dumps(value)}' for name, value in parameters.items()]
    path.write_text('\n'.join(lines) + '\n', encoding='utf-8')
    return path
