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

"""The actions of the raw TCP bridge, and how others are plugged in."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Callable, Mapping

from depth_anything_ros.bridges.image_roots import ImageRoots
from depth_anything_ros.bridges.requests import (
    Fields,
    frame_source,
    Matrix,
    matrix_of,
    number_of,
    process_res_of,
    switch_of,
    UNITS,
)
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import (
    ConfigError,
    InvalidRequest,
    UnknownModel,
)
from depth_anything_ros.service import DepthService
from depth_anything_ros.wire.arrays import little_endian
from depth_anything_ros.wire.limits import Limits

ENTRY_POINTS = 'depth_anything_ros.tcp_actions'
"""Group of the entry points of other packages, each an :data:`Action` under its name."""

Estimate = Callable[[Callable[[], Frame], FrameOptions], DepthResult]


@dataclass(frozen=True)
class ActionRequest:
    """
    A request of one client.

    ``fields`` are its keys, bytes among them as memoryviews; ``estimate`` runs the depth network
    on what a function returns, within the request's time; ``limits`` bound images.
    """

    fields: Fields
    service: DepthService
    estimate: Estimate
    limits: Limits


Action = Callable[[ActionRequest], Mapping[str, Any]]
"""Returns the ``data`` of a reply; an error of ours that it raises becomes an error reply."""


def depth_inference(request: ActionRequest) -> dict[str, Any]:
    """
    Return the depth of ``rgb_bytes``, an encoded picture, as builtins only.

    :raises InvalidRequest: when a key is missing or wrong.
    """
    fields = request.fields
    picture = fields.get('rgb_bytes')
    if not isinstance(picture, memoryview) or not picture.nbytes:
        raise InvalidRequest('RGB bytes are required')
    model = fields.get('model')
    if model is not None and model != request.service.info.model:
        raise UnknownModel(f'this server has {request.service.info.model} and no other model')
    raw, visualize = switch_of(fields, 'raw'), switch_of(fields, 'visualize')
    wanted = {Output.DEPTH} | ({Output.PREVIEW} if visualize else set())
    options = FrameOptions(
        process_res=process_res_of(fields), raw=raw, outputs=frozenset(wanted),
        fov_deg=number_of(fields, 'fov_deg', 0.0),
        focal_length=number_of(fields, 'focal_length', 0.0))
    matrix = camera_of(fields.get('camera_intrinsics'))
    result = request.estimate(
        frame_source(picture, matrix, ImageRoots(), request.limits), options)
    notes = list(result.notes)
    if fields.get('depth_bytes') is not None:
        notes.append('depth_bytes are not used by this server')
    as_numpy = switch_of(fields, 'as_numpy')
    camera = result.intrinsics
    data: dict[str, Any] = {
        'depth': result.depth if as_numpy else little_endian(result.depth).tobytes(),
        'shape': list(result.depth.shape), 'dtype': 'float32', 'byteorder': 'little',
        'units': UNITS[result.kind], 'model': result.model, 'scale_law': str(result.scale_law),
        'intrinsics': None if camera is None else camera.matrix().tolist(),
        'timing': dict(result.timings), 'notes': notes}
    if result.preview is not None:
        # Colours as they are, height x width x red, green, blue: no decoder is needed.
        data['preview'] = result.preview if as_numpy else result.preview.tobytes()
        data['preview_shape'] = list(result.preview.shape)
    return data


def sam6d_inference(request: ActionRequest) -> dict[str, Any]:
    """
    Say that this server has no pose model; a plug-in of the same name takes this one's place.

    :raises InvalidRequest: always.
    """
    for name in ('rgb_bytes', 'depth_bytes'):
        value = request.fields.get(name)
        if not isinstance(value, memoryview) or not value.nbytes:
            raise InvalidRequest('RGB and depth bytes are required')
    raise InvalidRequest(
        'sam6d_inference needs a pose model, which this server does not have; install a package '
        f'with an entry point sam6d_inference in {ENTRY_POINTS}, or use depth_inference')


BUILT_IN: Mapping[str, Action] = {
    'depth_inference': depth_inference, 'sam6d_inference': sam6d_inference}


def installed_actions() -> dict[str, Action]:
    """
    Return the built-in actions and those that installed packages bring, which win.

    :raises ConfigError: when one cannot be loaded.
    """
    actions = dict(BUILT_IN)
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            action = entry.load()
        except Exception as error:
            raise ConfigError(f'action {entry.name} of {entry.value} cannot be loaded: {error}') \
                from error
        actions[entry.name] = action
    return actions


def camera_of(value: object) -> Matrix | None:
    """
    Return K from ``{fx, fy, cx, cy}`` or a 3x3 matrix, None when there is none.

    :raises InvalidIntrinsics: when it is neither.
    """
    if not isinstance(value, dict):
        return matrix_of(value)
    fx, fy, cx, cy = (number_of(value, name, 0.0) for name in ('fx', 'fy', 'cx', 'cy'))
    return Intrinsics(fx, fy, cx, cy, 1, 1).matrix()
