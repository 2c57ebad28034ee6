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

"""What the loaded model takes and gives, in the words of the KServe v2 protocol."""

from __future__ import annotations

from typing import Any

from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.service import EngineInfo

VERSION = '1'
"""The only version of a model that there is."""

PLATFORM = 'depth_anything_ros'

BATCH = 8
"""Images in one request."""

IMAGE, INTRINSICS = 'image', 'intrinsics'

INPUTS = {IMAGE: 'UINT8', INTRINSICS: 'FP32'}
"""Datatypes of the inputs; intrinsics are optional."""

DEPTH, CONFIDENCE, SKY = 'depth', 'confidence', 'sky'

OUTPUTS = {DEPTH: 'FP32', CONFIDENCE: 'FP32', SKY: 'BOOL'}

Document = dict[str, Any]


def outputs_of(info: EngineInfo) -> tuple[str, ...]:
    """Return the names of the outputs that a model has."""
    has = {DEPTH: True, CONFIDENCE: info.has_confidence, SKY: info.has_sky}
    return tuple(name for name in OUTPUTS if has[name])


def model_metadata(info: EngineInfo) -> Document:
    """Return the metadata of a model; -1 is a side that may be any."""
    return {
        'name': info.model, 'versions': [VERSION], 'platform': PLATFORM,
        'inputs': [
            {'name': IMAGE, 'datatype': INPUTS[IMAGE], 'shape': [-1, -1, -1, 3]},
            {'name': INTRINSICS, 'datatype': INPUTS[INTRINSICS], 'shape': [-1, 3, 3]}],
        'outputs': [{'name': name, 'datatype': OUTPUTS[name], 'shape': [-1, -1, -1]}
                    for name in outputs_of(info)]}


def model_config(info: EngineInfo) -> Document:
    """Return the configuration of a model, with the keys of Triton's extension for it."""
    units = 'relative' if info.kind is DepthKind.RELATIVE else 'm'
    said = {'units': units, 'kind': info.kind.value, 'licence': info.licence,
            'device': info.device, 'precision': info.precision,
            'process_res': str(info.process_res), 'warnings': '; '.join(info.warnings)}
    return {
        'name': info.model, 'platform': '', 'backend': PLATFORM, 'max_batch_size': BATCH,
        'version_policy': {'latest': {'num_versions': 1}},
        'input': [
            {'name': IMAGE, 'data_type': 'TYPE_UINT8', 'dims': [-1, -1, 3], 'optional': False},
            {'name': INTRINSICS, 'data_type': 'TYPE_FP32', 'dims': [3, 3], 'optional': True}],
        'output': [{'name': name, 'data_type': f'TYPE_{OUTPUTS[name]}', 'dims': [-1, -1]}
                   for name in outputs_of(info)],
        'parameters': {key: {'string_value': value} for key, value in said.items()}}
