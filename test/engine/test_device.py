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

"""Which device and precision a setting gets."""

from __future__ import annotations

from depth_anything_ros.engine.device import choose_device, choose_precision, precision_name
from depth_anything_ros.errors import ConfigError
import pytest
import torch

CPU = torch.device('cpu')
without_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason='there is a CUDA device')


def test_the_cpu_can_be_asked_for_and_is_no_reason_to_warn() -> None:
    assert choose_device('cpu') == (CPU, '')


@without_cuda
def test_auto_on_a_machine_without_cuda_warns() -> None:
    device, warning = choose_device('auto')
    assert device == CPU
    assert 'CPU' in warning and 'CUDA' in warning


@without_cuda
@pytest.mark.parametrize('name', ['cuda', 'cuda:0', 'cuda:7'])
def test_cuda_that_is_not_there_is_an_error(name: str) -> None:
    with pytest.raises(ConfigError, match='CUDA'):
        choose_device(name)


@pytest.mark.parametrize('name', ['', 'gpu', 'CPU', 'cuda:', 'cuda:x', 'cuda:-1', 'cpu:0'])
def test_unknown_devices_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match='auto, cuda, cuda:N, cpu'):
        choose_device(name)


def test_the_cpu_always_computes_in_fp32() -> None:
    assert choose_precision('auto', CPU) is torch.float32
    assert choose_precision('fp32', CPU) is torch.float32
    for name in ('bf16', 'fp16'):
        with pytest.raises(ConfigError, match='slower'):
            choose_precision(name, CPU)
    with pytest.raises(ConfigError, match='unknown'):
        choose_precision('fp8', CPU)
    assert precision_name(torch.bfloat16) == 'bf16'


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
def test_cuda_takes_bf16_where_it_is_native() -> None:
    device, warning = choose_device('auto')
    assert (device, warning) == (torch.device('cuda', 0), '')
    native = torch.cuda.get_device_capability(device) >= (8, 0)
    assert choose_precision('auto', device) is (torch.bfloat16 if native else torch.float16)
    with pytest.raises(ConfigError, match='accepted: cuda:0 to'):
        choose_device('cuda:999')
