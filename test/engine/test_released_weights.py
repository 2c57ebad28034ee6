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

"""The released weights, where this machine's hub cache holds them."""

from __future__ import annotations

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.engine.da3 import DA3Engine
from depth_anything_ros.engine.hub import cached
from depth_anything_ros.engine.models import Model, MODELS
from depth_anything_ros.engine.weights import WEIGHTS_FILE
import numpy as np
import pytest


@pytest.mark.weights
@pytest.mark.parametrize(
    'model', [model for model in MODELS if model.repo], ids=lambda model: model.name)
def test_released_weights_fit_and_a_ramp_has_depth(model: Model) -> None:
    if cached(model.repo, WEIGHTS_FILE) is None:
        pytest.skip(f'{model.repo} is not in the hub cache')
    engine = DA3Engine.load(model.name)
    ramp = np.linspace(0, 255, 168, dtype=np.uint8)[:, None, None]
    frame = Frame(np.broadcast_to(ramp, (168, 224, 3)))
    options = FrameOptions(process_res=224, fov_deg=60.0)
    result = engine.finish(engine.infer([engine.prepare(frame, options)])[0])
    assert result.depth.shape == (168, 224)
    engine.close()
