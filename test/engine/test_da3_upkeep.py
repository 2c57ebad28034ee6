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

"""The DA3 engine between its users: their memory, their settings, overlap, failures, the end."""

from __future__ import annotations

from dataclasses import replace
import gc
import threading
from typing import Any
import weakref

from da3_parts import frame_of, METRES, metric_engine, run
from depth_anything_ros.engine.da3 import DA3Engine
from depth_anything_ros.engine.models import find
from depth_anything_ros.errors import InferenceFailed, NotReady, OutOfMemory
import numpy as np
import pytest
from tiny_networks import tiny_metric, tiny_nested
import torch


@pytest.mark.parametrize('size', [(128, 96), (98, 70)])
def test_any_memory_layout_is_read(size: tuple[int, int]) -> None:
    frame, engine = frame_of(*size), metric_engine()
    expected = run(engine, frame)
    assert expected.cloud is not None
    rgb = frame.rgb
    padded = np.zeros((rgb.shape[0], rgb.shape[1] + 5, 3), np.uint8)
    padded[:, :-5] = rgb
    read_only = rgb.copy()
    read_only.flags.writeable = False
    bgr, upside_down = rgb[..., ::-1].copy(), rgb[::-1].copy()
    for view in (padded[:, :-5], read_only, bgr[..., ::-1], upside_down[::-1],
                 np.asfortranarray(rgb)):
        found = run(engine, replace(frame, rgb=view))
        np.testing.assert_array_equal(found.depth, expected.depth)
        assert found.cloud is not None
        np.testing.assert_array_equal(
            found.cloud.view(np.uint32), expected.cloud.view(np.uint32))


def test_the_frame_may_change_after_prepare() -> None:
    engine = metric_engine()
    frame = frame_of(98, 70)
    expected = run(engine, frame).depth
    prepared = engine.prepare(frame, METRES)
    frame.rgb[:] = 0
    np.testing.assert_array_equal(engine.finish(engine.infer([prepared])[0]).depth, expected)


def test_the_three_steps_may_overlap() -> None:
    engine = metric_engine()
    frames = [frame_of(seed=seed) for seed in range(6)]
    expected = [run(engine, frame).depth for frame in frames]
    prepared = [engine.prepare(frame, METRES) for frame in frames]
    inferred, found = [], []

    def finish() -> None:
        for each in inferred[:3]:
            found.append(engine.finish(each).depth)

    inferred += engine.infer(prepared[:3])
    thread = threading.Thread(target=finish)
    thread.start()
    later = engine.infer(prepared[3:])
    thread.join()
    found += [engine.finish(each).depth for each in later]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4)


def test_process_wide_settings_are_left_alone() -> None:
    def settings() -> tuple[Any, ...]:
        return (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32,
                torch.backends.cudnn.benchmark, torch.get_num_threads(),
                torch.get_float32_matmul_precision(), torch.is_grad_enabled())
    before = settings()
    engine = metric_engine()
    engine.warm_up(64, 48)
    engine.close()
    assert settings() == before


class Failing(torch.nn.Module):
    """A network whose first layer raises."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def forward(self, *_: Any) -> Any:
        raise self.error


@pytest.mark.parametrize(('error', 'kind'), [
    (torch.cuda.OutOfMemoryError('CUDA out of memory'), OutOfMemory),
    (MemoryError(), OutOfMemory),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"), OutOfMemory),
    (RuntimeError('secret path /x'), InferenceFailed),
])
def test_failures_of_the_network_are_ours_and_the_engine_goes_on(
    error: Exception, kind: type[Exception],
) -> None:
    network = tiny_metric()
    engine = DA3Engine(network, find('da3metric-large'))
    layer = network.backbone.pretrained.patch_embed
    network.backbone.pretrained.patch_embed = Failing(error)
    with pytest.raises(kind) as caught:
        run(engine, frame_of())
    assert '98x70' in str(caught.value) and 'secret' not in str(caught.value)
    network.backbone.pretrained.patch_embed = layer
    assert run(engine, frame_of()).depth.shape == (96, 128)


def test_a_closed_engine_says_so() -> None:
    engine = metric_engine()
    prepared = engine.prepare(frame_of(), METRES)
    engine.close()
    engine.close()
    with pytest.raises(NotReady, match='closed'):
        engine.infer([prepared])


def test_closing_frees_the_weights_at_once() -> None:
    network = tiny_nested()
    engine = DA3Engine(network, find('da3nested-giant-large'))
    engine.warm_up(128, 96)
    gone = weakref.ref(network)
    gc.collect()
    gc.disable()
    try:
        del network
        engine.close()
        assert gone() is None
    finally:
        gc.enable()
