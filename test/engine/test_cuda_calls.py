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

"""Recording and compiling the network where there is a CUDA device; see test_fast_calls.py."""

from __future__ import annotations

import threading
from typing import Any

from da3_parts import frame_of, METRES, run
from depth_anything_ros.engine.compiled import inductor
from depth_anything_ros.engine.cuda_graphs import CudaCapturer
from depth_anything_ros.engine.da3 import DA3Engine
from depth_anything_ros.engine.fast_calls import FastCalls, SIGHTINGS
from depth_anything_ros.engine.gate import gate_images, objection
from depth_anything_ros.engine.models import find
from depth_anything_ros.engine.passes import FrameNetwork
import numpy as np
import pytest
from tiny_networks import tiny_any_view, tiny_metric, tiny_nested
import torch

pytestmark = pytest.mark.gpu
NETWORKS = [(tiny_metric, 'da3metric-large'), (tiny_any_view, 'da3-small'),
            (tiny_nested, 'da3nested-giant-large')]


@pytest.fixture(autouse=True)
def without_gradients() -> Any:
    with torch.inference_mode():
        yield


def images_of(seed: int, count: int = 1) -> torch.Tensor:
    return gate_images(count, torch.device('cuda'), size=(98, 70), seed=seed)


@pytest.mark.parametrize('count', [1, 3])
@pytest.mark.parametrize(('make', 'name'), NETWORKS)
def test_a_graph_gives_what_the_network_gives(make: Any, name: str, count: int) -> None:
    network = FrameNetwork(make(), torch.bfloat16).to('cuda')
    calls = FastCalls(network, capturer=CudaCapturer(torch.device('cuda')))
    held = [(seed, calls(images_of(seed, count))) for seed in range(SIGHTINGS + 5)]
    assert not calls.warnings and calls.about == 'CUDA graph for 1 shape(s)'
    for seed, found in held:
        assert not objection(found, network(images_of(seed, count)), torch.bfloat16)[0]
    calls.close()


def test_a_call_may_fail_while_it_is_recorded() -> None:
    network = FrameNetwork(tiny_metric()).to('cuda')
    stream = torch.cuda.current_stream()
    # Waiting for the device is what a recording cannot hold.
    network.register_forward_hook(lambda *_: torch.cuda.synchronize())
    calls = FastCalls(network, capturer=CudaCapturer(torch.device('cuda')))
    for seed in range(SIGHTINGS + 2):
        assert calls(images_of(seed)).depth.isfinite().all()
    assert 'the CUDA graph is not used any more' in calls.warnings[0]
    assert torch.cuda.current_stream() == stream


def test_frames_go_up_and_come_down_while_a_call_is_recorded() -> None:
    engine = DA3Engine(tiny_metric(), find('da3metric-large'), device=torch.device('cuda'))
    plain = DA3Engine(tiny_metric(), find('da3metric-large'), device=torch.device('cuda'))
    expected = [run(plain, frame_of(seed=seed)).depth for seed in range(4)]
    stop, found = threading.Event(), []

    def others() -> None:
        while not stop.is_set():
            found.append([run(plain, frame_of(seed=seed)).depth for seed in range(4)])
    thread = threading.Thread(target=others)
    thread.start()
    try:
        for seed in range(12):
            depth = run(engine, frame_of(seed=seed % 4)).depth
            np.testing.assert_allclose(depth, expected[seed % 4], rtol=3e-2)
    finally:
        stop.set()
        thread.join()
    assert not engine.info.warnings and 'CUDA graph for 1' in engine.info.acceleration
    for depths in found:
        for one, other in zip(depths, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=3e-2)


def test_closing_gives_the_memory_back() -> None:
    engine = DA3Engine.load('da3-small', device='cuda', random_weights=1)
    engine.warm_up(128, 96)
    weights = sum(each.nbytes for each in engine._ready().parameters())
    during = torch.cuda.memory_allocated()
    engine.close()
    # Libraries keep what they took for themselves.
    assert during - torch.cuda.memory_allocated() > 0.9 * weights


@pytest.mark.parametrize(('make', 'name'), NETWORKS)
def test_the_compiled_network_is_one_graph_and_gives_the_same(make: Any, name: str) -> None:
    # On two busy CPU cores one of these takes two to three minutes, so only where there is a GPU.
    engine = DA3Engine(make(), find(name), device=torch.device('cuda'), compiler=inductor())
    plain = DA3Engine(make(), find(name), device=torch.device('cuda'), precision=torch.float32)
    for seed in range(SIGHTINGS + 1):
        frame = frame_of(seed=seed)
        np.testing.assert_allclose(
            run(engine, frame, METRES).depth, run(plain, frame, METRES).depth, rtol=1e-2)
    assert not engine.info.warnings
    assert 'compiled for 1 shape(s), CUDA graph for 1 shape(s)' in engine.info.acceleration
