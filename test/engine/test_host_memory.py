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

"""The buffers of copies to and from a device: used again, never under somebody who reads."""

from __future__ import annotations

from dataclasses import replace
import gc
from typing import Any

from da3_parts import frame_of, METRES, run
from depth_anything_ros.core.cloud_options import CloudOptions
from depth_anything_ros.core.options import FrameOptions, Output, OutputSize
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.engine.da3 import DA3Engine
from depth_anything_ros.engine.host_memory import HostMemory, MOST
from depth_anything_ros.engine.models import find
from depth_anything_ros.engine.streams import Mark
import numpy as np
import pytest
from tiny_networks import tiny_metric
import torch

CPU = torch.device('cpu')
PLACES = ['cpu', pytest.param('cuda', marks=pytest.mark.gpu)]


class Event:
    """A point that a device has reached, or not."""

    def __init__(self) -> None:
        self.reached = False

    def query(self) -> bool:
        return self.reached


@pytest.mark.parametrize('place', PLACES)
def test_memory_is_used_again_only_when_nobody_looks_into_it(place: str) -> None:
    memory = HostMemory(torch.device(place))
    first = memory.take((3, 5), torch.float32)
    assert first.shape == (3, 5) and first.is_pinned() == (place == 'cuda')
    array = first.numpy()[1:, ::2]
    address = first.data_ptr()
    del first
    # An array that was made from a part of it holds the whole.
    assert memory.take((3, 5), torch.float32).data_ptr() != address
    del array
    assert memory.take((15,), torch.int32).data_ptr() == address
    assert memory.made == 2


def test_memory_that_a_device_still_reads_is_not_filled() -> None:
    memory, mark = HostMemory(CPU), Mark(CPU)
    mark.event = Event()
    address = memory.filled(np.ones((4, 4), np.uint8)).data_ptr()
    memory.read_until(mark)
    other = memory.filled(np.ones((4, 4), np.uint8)).data_ptr()
    assert other != address
    mark.event.reached = True
    assert memory.filled(np.ones((4, 4), np.uint8)).data_ptr() in (address, other)
    assert memory.made == 2


def test_sizes_that_change_find_a_buffer() -> None:
    memory = HostMemory(CPU)
    for size in range(70_000, 120_000, 1000):
        assert memory.take((size,), torch.uint8).shape == (size,)
    assert memory.made == 1
    memory.take((200_000,), torch.uint8)
    assert memory.made == 2
    assert memory.take((0, 4), torch.float32).shape == (0, 4)


def test_holding_everything_costs_memory_and_nothing_else() -> None:
    memory = HostMemory(CPU)
    held = [memory.filled(np.full(5000, index, np.uint8)) for index in range(3 * MOST)]
    assert [int(each[0]) for each in held] == list(range(3 * MOST))
    assert len({each.data_ptr() for each in held}) == len(held)
    assert len(memory._buffers) == MOST
    memory.clear()
    assert all(bool((each == index).all()) for index, each in enumerate(held))


@pytest.mark.parametrize('layout', ['rows', 'columns', 'padded', 'read-only', 'reversed'])
def test_any_layout_is_copied(layout: str) -> None:
    rgb = frame_of(33, 17).rgb
    values = {'rows': rgb, 'columns': np.asfortranarray(rgb), 'padded': np.pad(
        rgb, ((0, 0), (0, 3), (0, 0)))[:, :-3], 'read-only': rgb.copy(),
        'reversed': rgb[::-1, :, ::-1]}[layout]
    values.flags.writeable = layout != 'read-only'
    host = HostMemory(CPU).filled(values)
    np.testing.assert_array_equal(host.numpy(), values)


def arrays_of(result: DepthResult) -> dict[str, Any]:
    found = {name: getattr(result, name) for name in (
        'depth', 'cloud', 'confidence', 'sky', 'processed')}
    found['rgb'] = result.frame.rgb
    return {name: each for name, each in found.items() if each is not None}


@pytest.mark.parametrize('options', [
    METRES, replace(METRES, output_size=OutputSize.MODEL), FrameOptions(
        process_res=98, raw=True, outputs=frozenset({Output.DEPTH, Output.SKY})),
    replace(METRES, points=CloudOptions(dense=True))])
@pytest.mark.parametrize('place', PLACES)
def test_results_stay_as_they_were_handed_out(place: str, options: FrameOptions) -> None:
    engine = DA3Engine(
        tiny_metric(), find('da3metric-large'), device=torch.device(place), on_host=False)
    frames = [frame_of(seed=seed) for seed in range(MOST + 3)]
    held, copies = [], []
    for frame in frames:
        held.append(run(engine, frame, options))
        copies.append({name: each.copy() for name, each in arrays_of(held[-1]).items()})
    # Half of them go, and new frames use what they had.
    del held[::2]
    for seed in range(50, 50 + MOST):
        run(engine, frame_of(seed=seed), options)
    for result, copy in zip(held, copies[1::2], strict=True):
        for name, each in arrays_of(result).items():
            assert each.tobytes() == copy[name].tobytes(), name
    engine.close()
    for result, copy in zip(held, copies[1::2], strict=True):
        assert result.depth.tobytes() == copy['depth'].tobytes()


@pytest.mark.parametrize('place', PLACES)
def test_a_stream_takes_no_more_memory_after_its_first_frames(place: str) -> None:
    engine = DA3Engine(
        tiny_metric(), find('da3metric-large'), device=torch.device(place), on_host=False)
    assert engine._images is not None
    stores = engine._path._memory, engine._images._memory
    kept: list[DepthResult] = []
    for seed in range(12):
        # As a node does: one result is published while the next is made.
        kept = [*kept[-1:], run(engine, frame_of(seed=seed), METRES)]
        if seed == 5:
            gc.collect()
            made = [store.made for store in stores]
    assert [store.made for store in stores] == made
    assert all(0 < store.made <= MOST for store in stores)


def test_outputs_land_where_they_were_wanted() -> None:
    engine = DA3Engine(tiny_metric(), find('da3metric-large'), on_host=False)
    places: dict[Output, Any] = {}

    def place(output: Output, shape: tuple[int, ...], kind: type) -> Any:
        return places.setdefault(output, np.zeros(shape, kind))
    plain = arrays_of(run(engine, frame_of(), METRES))
    found = run(engine, frame_of(), replace(METRES, memory=place))
    assert found.depth is places[Output.DEPTH] and found.cloud is places[Output.POINTS]
    assert found.sky is places[Output.SKY]
    for name, each in arrays_of(found).items():
        assert each.tobytes() == plain[name].tobytes(), name
