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

"""The way into the engine without importing PyTorch before it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from depth_anything_ros.engine.dependencies import missing

if TYPE_CHECKING:
    from depth_anything_ros.engine.da3 import DA3Engine
    from depth_anything_ros.engine.onnx_engine import OnnxEngine


def import_engine() -> type[DA3Engine]:
    """
    Return the class of the DA3 engine; PyTorch is imported now and not earlier.

    :raises MissingDependency: when a package is not installed, with the command that helps.
    """
    try:
        from depth_anything_ros.engine.da3 import DA3Engine
    except ModuleNotFoundError as error:
        raise missing(error) from error
    return DA3Engine


def import_onnx_engine() -> type[OnnxEngine]:
    """
    Return the class of the engine for exported networks.

    :raises MissingDependency: when a package is not installed, with the command that helps.
    """
    try:
        from depth_anything_ros.engine.onnx_engine import OnnxEngine
    except ModuleNotFoundError as error:
        raise missing(error) from error
    return OnnxEngine
