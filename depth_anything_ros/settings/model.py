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

"""Settings of the model."""

from __future__ import annotations

from dataclasses import dataclass

from depth_anything_ros.settings.schema import setting


@dataclass(frozen=True)
class ModelSettings:
    """Which network runs where; fixed once the model is loaded."""

    name: str = setting(
        'da3metric-large', 'Model name, or a local directory, .safetensors or .onnx file.',
        read_only=True, environment='DEPTH_ANYTHING_MODEL')
    allowed: tuple[str, ...] = setting(
        (), 'Models that ~/set_model may switch to while the node runs; empty: none.')
    engine: str = setting(
        'torch', 'What runs the network. onnxruntime and tensorrt run an .onnx file made by '
        'depth-anything export, for one image size.',
        choices=('torch', 'onnxruntime', 'tensorrt'), read_only=True)
    architecture: str = setting(
        '', 'Model name whose network fits a .safetensors file without a config.json.',
        read_only=True)
    download: bool = setting(
        False, 'Fetch the weights from the model hub at start when they are not on this machine.',
        read_only=True)
    device: str = setting(
        'auto', 'auto, cuda, cuda:N or cpu. auto takes CUDA where it is there.',
        read_only=True, environment='DEPTH_ANYTHING_DEVICE')
    devices: tuple[str, ...] = setting(
        (), 'Devices that share the work, such as [cuda:0, cuda:1], or [all] for every CUDA '
        'device; empty: device alone.', read_only=True)
    device_timeout: float = setting(
        60.0, 'One of several devices that has not answered for so long is taken out, and what it '
        'had to do is done elsewhere; 0: never.', unit='s', low=0.0, high=86_400.0,
        read_only=True)
    precision: str = setting(
        'auto', 'Arithmetic of the backbone. auto: fp32 on a CPU, bf16 or fp16 on CUDA.',
        choices=('auto', 'fp32', 'bf16', 'fp16'), read_only=True)
    compile: bool = setting(  # noqa: A003
        False, 'Compile the network (torch.compile) for each image size at its third image: takes '
        'minutes then, less at later starts, which find it in a folder.', read_only=True)
    queue_size: int = setting(
        4, 'Requests (service calls, bridges) that may wait; one more is answered busy.',
        low=1, high=1024, read_only=True)
    max_batch: int = setting(
        0, 'Images of one processed shape that go through the network together, of whichever '
        'camera or request; 0: 4 on CUDA, 1 on a CPU.', low=0, high=64, read_only=True)
    batch_window: float = setting(
        0.0, 'Time to wait for more images of one shape; 0: only those that wait already.',
        unit='ms', low=0.0, high=1000.0, read_only=True)
    request_share: float = setting(
        0.15, 'Part of the time that requests have while camera frames wait for the network; what '
        'cameras leave they have besides.', low=0.01, high=0.99, read_only=True)
