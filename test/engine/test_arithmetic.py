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

"""TF32 and cuDNN's settings hold inside an engine's work and nowhere else."""

from __future__ import annotations

import threading
from typing import Any

from da3_parts import frame_of, METRES, run
from depth_anything_ros.engine.arithmetic import Arithmetic, arithmetic_of, PLAIN
from depth_anything_ros.engine.da3 import DA3Engine
from depth_anything_ros.engine.models import find
import pytest
from tiny_networks import tiny_metric
import torch

NEWER = hasattr(torch.backends.cudnn, 'conv')
FAST = arithmetic_of(torch.bfloat16)


def settings() -> list[Any]:
    """Return all that PyTorch has process-wide of this; what cannot be asked as its error."""
    backends: Any = torch.backends
    found: list[Any] = []
    for read in (lambda: backends.cudnn.benchmark, lambda: backends.cudnn.allow_tf32,
                 lambda: backends.cudnn.enabled, lambda: backends.cudnn.deterministic,
                 lambda: backends.cuda.matmul.allow_tf32, torch.get_float32_matmul_precision,
                 lambda: backends.cudnn.conv.fp32_precision,
                 lambda: backends.cudnn.rnn.fp32_precision, lambda: backends.fp32_precision,
                 lambda: backends.cuda.matmul.fp32_precision,
                 lambda: backends.mkldnn.matmul.fp32_precision):
        try:
            found.append(read())
        except (RuntimeError, AttributeError) as error:
            found.append(type(error))
    return found


def nothing() -> None:
    """Leave PyTorch as it starts."""


def older_on() -> None:
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True


def medium() -> None:
    torch.set_float32_matmul_precision('medium')


def newer() -> None:
    backends: Any = torch.backends
    backends.cudnn.conv.fp32_precision = 'ieee'
    backends.cuda.matmul.fp32_precision = 'tf32'


@pytest.fixture(params=[nothing, older_on, medium, pytest.param(newer, marks=pytest.mark.skipif(
    not NEWER, reason='PyTorch before 2.9'))])
def users_own(request: pytest.FixtureRequest) -> Any:
    """Make settings as a user of the same process does, and take them back in the end."""
    backends: Any = torch.backends
    request.param()
    yield settings()
    torch.set_float32_matmul_precision('highest')
    backends.cudnn.allow_tf32, backends.cudnn.benchmark = True, False
    if NEWER:
        backends.cudnn.conv.fp32_precision = backends.cudnn.rnn.fp32_precision = 'tf32'
        backends.cuda.matmul.fp32_precision = backends.mkldnn.matmul.fp32_precision = 'none'


def convolutions() -> bool:
    """Return whether convolutions may round to TF32 now."""
    backends: Any = torch.backends
    if NEWER:
        return bool(backends.cudnn.conv.fp32_precision == 'tf32')
    return bool(backends.cudnn.allow_tf32)


def products() -> bool:
    """Return whether matrix products may."""
    backends: Any = torch.backends
    if NEWER:
        return bool(backends.cuda.matmul.fp32_precision == 'tf32')
    return bool(backends.cuda.matmul.allow_tf32)


@pytest.mark.parametrize('wanted', [PLAIN, FAST, arithmetic_of(torch.float32)])
def test_a_block_computes_its_way_and_leaves_no_trace(
    users_own: list[Any], wanted: Arithmetic,
) -> None:
    for _ in range(2):
        with wanted.inside():
            assert convolutions() == wanted.convolutions and not products()
            assert torch.backends.cudnn.benchmark == wanted.search
        assert settings() == users_own
    with pytest.raises(ZeroDivisionError), wanted.inside():
        raise ZeroDivisionError
    assert settings() == users_own


def test_load_and_estimate_leave_the_process_as_it_was(users_own: list[Any]) -> None:
    # On the CPU, by the path of a GPU: the settings are made, though nothing follows them here.
    seen = []
    network = tiny_metric()
    network.backbone.register_forward_pre_hook(
        lambda *_: seen.append((convolutions(), torch.backends.cudnn.benchmark)))
    patches = network.backbone.pretrained.patch_embed
    patches.register_forward_pre_hook(
        lambda *_: seen.append((convolutions(), torch.backends.cudnn.benchmark)))
    engine = DA3Engine(network, find('da3metric-large'), precision=torch.bfloat16, on_host=False)
    assert settings() == users_own
    assert seen == [(False, False), (True, True)], 'plain float32 first, then the fast way'
    run(engine, frame_of(), METRES)
    assert seen[2:] == [(True, True)]
    engine.warm_up(64, 48)
    engine.close()
    assert settings() == users_own


def test_same_arithmetic_is_shared_and_another_waits() -> None:
    before, order = settings(), []
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with FAST.inside():
            entered.set()
            assert leave.wait(30)
            order.append('fast')

    def plain() -> None:
        with PLAIN.inside():
            order.append('plain')
            assert not convolutions()

    holder, other = threading.Thread(target=hold), threading.Thread(target=plain)
    holder.start()
    assert entered.wait(30)
    with FAST.inside():
        assert convolutions()
    assert convolutions(), 'the other block is still inside'
    other.start()
    leave.set()
    holder.join(30)
    other.join(30)
    assert order == ['fast', 'plain'] and settings() == before


def test_many_threads_at_once_leave_the_process_as_it_was() -> None:
    before, wrong = settings(), []

    def work(wanted: Arithmetic) -> None:
        for _ in range(200):
            with wanted.inside():
                if convolutions() != wanted.convolutions:
                    wrong.append(wanted)
    threads = [threading.Thread(target=work, args=(each,)) for each in (PLAIN, FAST) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong and not any(thread.is_alive() for thread in threads)
    assert settings() == before
