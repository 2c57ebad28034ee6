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

"""What a Triton model repository says about a model: config.pbtxt and the facts in it."""

from __future__ import annotations

from dataclasses import dataclass
import json
from typing import NamedTuple

from depth_anything_ros.core.depth import CANONICAL_FOCAL, DepthKind
from depth_anything_ros.engine.models import Model

CONFIG = 'config.pbtxt'

QUEUE = 32
"""Requests that may wait for a model; Triton's own queue has no end, and old depth no use."""

LAWS = {
    DepthKind.RELATIVE: 'relative: unknown scale',
    DepthKind.METRIC: 'metric: metres as predicted by the model, applied; NaN where it found none',
    DepthKind.CANONICAL: f'canonical: metres = network * focal / {CANONICAL_FOCAL:.0f}, applied; '
                         'focal is mean(fx, fy) of the input intrinsics',
}


class Tensor(NamedTuple):
    """An input or output as Triton names it; ``dims`` without the batch."""

    name: str
    datatype: str
    dims: tuple[int, ...]


@dataclass(frozen=True)
class ServedModel:
    """
    A model for images of ``height`` x ``width`` pixels, ``max_batch`` of them at once.

    ``warnings`` are what a user must know, such as that its weights are random.
    """

    model: Model
    height: int
    width: int
    max_batch: int
    warnings: tuple[str, ...] = ()

    @property
    def takes_intrinsics(self) -> bool:
        """Return whether metres need the focal length of the camera."""
        return self.model.kind is DepthKind.CANONICAL

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """Return the inputs, in the order of the network's arguments."""
        image = Tensor('image', 'UINT8', (self.height, self.width, 3))
        return (image, Tensor('intrinsics', 'FP32', (3, 3))) if self.takes_intrinsics else (image,)

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """Return the outputs that the model has."""
        size, model = (self.height, self.width), self.model
        rows = ((True, Tensor('depth', 'FP32', size)),
                (model.has_confidence, Tensor('confidence', 'FP32', size)),
                (model.has_sky, Tensor('sky', 'BOOL', size)),
                (model.predicts_intrinsics, Tensor('camera', 'FP32', (3, 3))))
        return tuple(tensor for there, tensor in rows if there)


def facts(served: ServedModel) -> dict[str, str]:
    """Return what a reader of the numbers must know, by name: unit, scale law, licence."""
    model = served.model
    found = {
        'units': 'relative' if model.kind is DepthKind.RELATIVE else 'm',
        'kind': (DepthKind.RELATIVE if model.kind is DepthKind.RELATIVE
                 else DepthKind.METRIC).value,
        'scale_law': LAWS[model.kind],
        'invalid': 'NaN' + (', also where the sky is' if model.has_sky else ''),
        'image': f'RGB, {served.width}x{served.height}, not normalised',
        'licence': model.licence,
    }
    if served.takes_intrinsics:
        found['intrinsics'] = 'K in pixels of that image'
    if model.predicts_intrinsics:
        found['camera'] = 'K that the model predicts, in pixels of that image'
    if served.warnings:
        found['warnings'] = '; '.join(served.warnings)
    return found


def config_text(served: ServedModel) -> str:
    """Return config.pbtxt, a text of Triton's message ModelConfig."""
    parts = [
        f'name: {_text(served.model.name)}', 'backend: "onnxruntime"',
        f'max_batch_size: {served.max_batch}',
        *(_tensor('input', tensor) for tensor in served.inputs),
        *(_tensor('output', tensor) for tensor in served.outputs),
        '# Nobody waits for others: what came while the model was busy goes together.',
        'dynamic_batching {\n  default_queue_policy {\n    timeout_action: REJECT\n'
        f'    allow_timeout_override: true\n    max_queue_size: {QUEUE}\n  }}\n}}',
        _warm_up(served),
        *(f'parameters {{ key: {_text(key)} value {{ string_value: {_text(value)} }} }}'
          for key, value in facts(served).items())]
    return '\n'.join(parts) + '\n'


def _tensor(what: str, tensor: Tensor) -> str:
    return (f'{what} {{ name: {_text(tensor.name)} data_type: TYPE_{tensor.datatype} '
            f'dims: {list(tensor.dims)} }}')


def _warm_up(served: ServedModel) -> str:
    rows = [
        f'  inputs {{ key: {_text(tensor.name)} value {{ data_type: TYPE_{tensor.datatype} '
        f'dims: {list(tensor.dims)} zero_data: true }} }}' for tensor in served.inputs]
    return '\n'.join(['model_warmup {', '  name: "one image"', '  batch_size: 1', *rows, '}'])


def _text(value: str) -> str:
    return json.dumps(value)
