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

"""
When a network's call is compiled or recorded, and when the plain call serves.

The recordings here are real work in fixed memory, as a CUDA graph's are, done by the CPU.
"""

from __future__ import annotations

import gc
import logging
import os
from pathlib import Path
from typing import Any, Callable
import weakref

from da3_parts import frame_of, METRES, run
from depth_anything_ros.engine.compiled import FOLDER, inductor
from depth_anything_ros.engine.da3 import DA3Engine
from depth_anything_ros.engine.fast_calls import Captured, FastCalls, KEPT, SIGHTINGS, Way
from depth_anything_ros.engine.gate import gate_images
from depth_anything_ros.engine.models import find
from depth_anything_ros.engine.passes import FrameNetwork, RawMaps
from depth_anything_ros.service import load_engine
from depth_anything_ros.settings import changed, Settings
import numpy as np
import pytest
from tiny_networks import tiny_any_view, tiny_metric, tiny_nested
import torch

CPU = torch.device('cpu')


class Recorder:
    """Records a call as a CUDA graph does: one input and one output, used by every replay."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self.replays = 0

    def __call__(self, way: Way, images: torch.Tensor) -> Captured:
        self.shapes.append(tuple(images.shape))
        given = images.clone()
        found = way(given)

        def replay() -> None:
            self.replays += 1
            for memory, value in zip(found, way(given), strict=True):
                if memory is not None and value is not None:
                    memory.copy_(value)
        return Captured(given, found, replay)


def images_of(seed: int, count: int = 1, size: tuple[int, int] = (56, 42)) -> torch.Tensor:
    return gate_images(count, CPU, size=size, seed=10 + seed)


def same(found: RawMaps, expected: RawMaps) -> bool:
    return all((one is None) == (other is None)
               and (one is None or torch.allclose(one, other, rtol=1e-4, equal_nan=True))
               for one, other in zip(found, expected, strict=True))


@pytest.fixture(autouse=True)
def without_gradients() -> Any:
    with torch.inference_mode():
        yield


@pytest.mark.parametrize('make', [tiny_metric, tiny_any_view, tiny_nested])
def test_a_shape_is_recorded_at_its_third_image_and_replayed_from_then_on(make: Any) -> None:
    network, recorder = FrameNetwork(make()), Recorder()
    calls = FastCalls(network, capturer=recorder)
    replays = []
    for seed in range(SIGHTINGS + 2):
        images = images_of(seed)
        assert same(calls(images), network(images))
        replays.append(recorder.replays)
    assert recorder.shapes == [(1, 3, 42, 56)]
    # One replay is the check at the third image.
    assert replays == [0] * (SIGHTINGS - 1) + [2, 3, 4]
    assert calls.about == 'CUDA graph for 1 shape(s)' and not calls.warnings


def test_maps_that_were_handed_out_stay_as_they_are() -> None:
    network = FrameNetwork(tiny_metric())
    calls = FastCalls(network, capturer=Recorder())
    held = [calls(images_of(seed)) for seed in range(SIGHTINGS + 4)]
    for seed, found in enumerate(held):
        assert same(found, network(images_of(seed)))
    assert len({found.depth.data_ptr() for found in held}) == len(held)


def test_every_size_and_every_batch_has_its_own_and_the_oldest_goes() -> None:
    network, recorder = FrameNetwork(tiny_metric()), Recorder()
    calls = FastCalls(network, capturer=recorder)
    shapes = [(count, (14 * columns, 14)) for columns in range(1, 6) for count in (1, 2)]
    for count, size in shapes:
        for seed in range(SIGHTINGS):
            images = images_of(seed, count, size)
            assert same(calls(images), network(images))
    assert len(set(recorder.shapes)) == len(shapes) > KEPT == len(calls._ways)
    # The tables of those sizes are gone from the network's own cache, not from the recordings.
    replays = recorder.replays
    images = images_of(7, *shapes[-KEPT])
    assert same(calls(images), network(images)) and recorder.replays == replays + 1
    images = images_of(7, *shapes[0])
    assert same(calls(images), network(images)) and recorder.replays == replays + 1


def test_what_a_recording_reads_lives_as_long_as_it() -> None:
    network = FrameNetwork(tiny_any_view())
    calls = FastCalls(network, capturer=Recorder())
    for seed in range(SIGHTINGS):
        calls(images_of(seed))
    table = weakref.ref(network.tables(42, 56, CPU)[0][0].position)
    network.tables.cache_clear()
    gc.collect()
    assert table() is not None
    calls.close()
    gc.collect()
    assert table() is None


def failing(way: Way, images: torch.Tensor) -> Captured:
    raise RuntimeError('operation not permitted when stream is capturing\nand more')


def deaf(way: Way, images: torch.Tensor) -> Captured:
    """Record what never looks at its input again."""
    return Captured(images.clone(), way(images), lambda: None)


def breaking(function: Callable[..., Any]) -> Callable[..., Any]:
    def broken(*arguments: Any) -> Any:
        raise ImportError('no compiler here')
    return broken


def rounding(function: Callable[..., RawMaps]) -> Callable[..., RawMaps]:
    """Compile to something that computes far too roughly."""
    def rough(*arguments: Any) -> RawMaps:
        found = function(*arguments)
        return found._replace(depth=found.depth.round(decimals=1) + 0.3)
    return rough


@pytest.mark.parametrize(('tools', 'words'), [
    ({'capturer': failing}, ['the CUDA graph is not used any more', 'RuntimeError', 'capturing']),
    ({'capturer': deaf}, ['the CUDA graph is not used any more', 'depth differs by']),
    ({'compiler': breaking}, ['torch.compile is not used any more', 'no compiler here']),
    ({'compiler': rounding}, ['torch.compile is not used any more', 'depth differs by'])])
def test_what_fails_or_is_off_is_not_used_and_said_once(
    tools: Any, words: list[str], caplog: pytest.LogCaptureFixture,
) -> None:
    network = FrameNetwork(tiny_metric())
    calls = FastCalls(network, **tools)
    with caplog.at_level(logging.WARNING):
        for width in (56, 70):
            for seed in range(SIGHTINGS + 1):
                images = images_of(seed, size=(width, 42))
                assert same(calls(images), network(images))
    warning, = calls.warnings
    assert all(word in warning for word in words) and 'and more' not in warning
    assert caplog.text.count(warning) == 1
    assert calls.about == '' and calls.runs_until_fast == 1


def test_a_compiler_that_fails_leaves_the_recording() -> None:
    network, recorder = FrameNetwork(tiny_metric()), Recorder()
    calls = FastCalls(network, compiler=breaking, capturer=recorder)
    for seed in range(SIGHTINGS):
        assert same(calls(images_of(seed)), network(images_of(seed)))
    assert recorder.replays and 'torch.compile' in calls.warnings[0] and len(calls.warnings) == 1


def test_what_is_compiled_is_what_is_recorded() -> None:
    compiled = []

    def compiler(function: Callable[..., Any]) -> Callable[..., Any]:
        def faster(*arguments: Any) -> Any:
            compiled.append(arguments[0].shape)
            return function(*arguments)
        return faster
    network, recorder = FrameNetwork(tiny_any_view()), Recorder()
    calls = FastCalls(network, compiler=compiler, capturer=recorder)
    for seed in range(SIGHTINGS + 1):
        images = images_of(seed)
        assert same(calls(images), network(images))
    # Checked, recorded, checked as a recording, and replayed for two images.
    assert len(compiled) == 5 and recorder.replays == 3
    assert calls.about == 'compiled for 1 shape(s), CUDA graph for 1 shape(s)'


def engine_with(recorder: Recorder, make: Any = tiny_metric, **more: Any) -> DA3Engine:
    return DA3Engine(
        make(), find('da3metric-large'), on_host=False, capturer=recorder, **more)


def test_an_engine_is_fast_after_its_warm_up_and_finishes_frames_beside_it() -> None:
    recorder = Recorder()
    engine, plain = engine_with(recorder), DA3Engine(
        tiny_metric(), find('da3metric-large'), on_host=False)
    engine.warm_up(128, 96)
    assert recorder.shapes == [(1, 3, 378, 504)]
    assert engine.info.acceleration.endswith('; CUDA graph for 1 shape(s)')
    frames = [frame_of(seed=seed) for seed in range(5)]
    inferred = [engine.infer([engine.prepare(frame, METRES)])[0] for frame in frames]
    # Finished only now, when later frames have long run through the same memory.
    for frame, each in zip(frames, inferred, strict=True):
        np.testing.assert_allclose(
            engine.finish(each).depth, run(plain, frame).depth, rtol=1e-4)
    engine.close()


def test_an_engine_says_what_is_not_used() -> None:
    engine = DA3Engine(tiny_metric(), find('da3metric-large'), capturer=failing)
    assert not engine.info.warnings and 'CUDA graph for 0' in engine.info.acceleration
    for seed in range(SIGHTINGS):
        run(engine, frame_of(seed=seed))
    assert 'the CUDA graph is not used any more' in engine.info.warnings[0]
    assert 'CUDA graph' not in engine.info.acceleration


def test_compiled_code_outlives_the_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    monkeypatch.setenv(FOLDER, 'the users own')
    inductor()
    assert os.environ[FOLDER] == 'the users own'
    monkeypatch.delenv(FOLDER)
    inductor()
    assert os.environ[FOLDER] == str(tmp_path / 'depth_anything_ros' / 'compiled')


@pytest.mark.parametrize('wanted', [False, True])
def test_the_setting_compile_compiles(wanted: bool) -> None:
    # PyTorch's own switch: what is compiled calls the function itself, without minutes of work.
    with torch.compiler.set_stance('force_eager'):
        engine = load_engine(changed(Settings(), {
            'model.name': 'da3-tiny', 'model.device': 'cpu', 'model.compile': wanted}))
    assert ('compiled for 1 shape(s)' in engine.info.acceleration) == wanted
    assert engine.info.acceleration.startswith('fp32, channels last: depth within')
    assert not any('compile' in warning for warning in engine.info.warnings)
    engine.close()
