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

"""Which device and which arithmetic a network runs on."""

from __future__ import annotations

import re

from depth_anything_ros.errors import ConfigError
import torch

PRECISIONS = {'fp32': torch.float32, 'bf16': torch.bfloat16, 'fp16': torch.float16}


def choose_device(name: str) -> tuple[torch.device, str]:
    """
    Return the device of a setting, and a warning when it is not what one would wish for.

    :param name: ``auto``, ``cuda``, ``cuda:N`` or ``cpu``.
    :returns: the device, and a sentence ('' when there is nothing to say).
    :raises ConfigError: when the name is unknown or there is no such device.
    """
    if not re.fullmatch(r'auto|cpu|cuda(:\d+)?', name):
        raise ConfigError(f'device {name!r} is unknown; accepted: auto, cuda, cuda:N, cpu')
    if name == 'cpu':
        return torch.device('cpu'), ''
    if not torch.cuda.is_available():
        if name == 'auto':
            return torch.device('cpu'), (
                f'device auto: {_why_no_cuda()}, so the network runs on the CPU, many times '
                'slower than on a GPU')
        raise ConfigError(f'device {name!r}: {_why_no_cuda()}; accepted here: auto, cpu')
    index = int(name.partition(':')[2] or 0)
    count = torch.cuda.device_count()
    if index >= count:
        raise ConfigError(
            f'device {name!r}: there are {count} CUDA devices; accepted: cuda:0 to '
            f'cuda:{count - 1}')
    return torch.device('cuda', index), ''


def all_devices() -> tuple[str, ...]:
    """
    Return the names of all CUDA devices.

    :raises ConfigError: when there is none.
    """
    if not torch.cuda.is_available():
        raise ConfigError(f'devices all: {_why_no_cuda()}; accepted here: cpu')
    return tuple(f'cuda:{index}' for index in range(torch.cuda.device_count()))


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """
    Return the arithmetic of the backbone; heads always run in float32.

    ``auto`` is float32 on a CPU (bf16 and fp16 are several times slower there). On CUDA it is
    bfloat16 where the hardware has it (compute capability 8.0 and newer; older ones emulate it
    and lose the fast attention kernels), else float16.

    :param name: ``auto``, ``fp32``, ``bf16`` or ``fp16``.
    :param device: the device the network runs on.
    :raises ConfigError: when the name is unknown or the device cannot do it.
    """
    if name != 'auto' and name not in PRECISIONS:
        raise ConfigError(
            f'precision {name!r} is unknown; accepted: auto, {", ".join(PRECISIONS)}')
    if device.type == 'cpu':
        if name not in ('auto', 'fp32'):
            raise ConfigError(
                f'precision {name!r} on the CPU is several times slower than fp32; accepted: '
                'auto, fp32')
        return torch.float32
    with torch.cuda.device(device):
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    if name == 'auto':
        return torch.bfloat16 if native else torch.float16
    if name == 'bf16' and not native:
        raise ConfigError(
            f'precision bf16: {torch.cuda.get_device_name(device)} has no native bfloat16; '
            'accepted: auto, fp32, fp16')
    return PRECISIONS[name]


def precision_name(dtype: torch.dtype) -> str:
    """Return the setting's name of a precision, such as 'fp32'."""
    return next(name for name, value in PRECISIONS.items() if value is dtype)


def memory_in_use(device: str) -> tuple[int, int]:
    """
    Return the bytes that PyTorch uses and the bytes that it holds.

    :param device: ``cuda`` or ``cuda:N``.
    """
    return torch.cuda.memory_allocated(device), torch.cuda.memory_reserved(device)


def total_memory(device: str) -> int:
    """
    Return the bytes that a GPU has.

    :param device: ``cuda`` or ``cuda:N``.
    """
    return int(torch.cuda.get_device_properties(device).total_memory)


def _why_no_cuda() -> str:
    if torch.version.cuda is None:
        return 'this PyTorch was built without CUDA'
    return 'PyTorch finds no CUDA device (driver missing, or hidden by CUDA_VISIBLE_DEVICES)'
