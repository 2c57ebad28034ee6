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

"""A reconstruction through the service: watched, withdrawn, refused, and fair to others."""

from __future__ import annotations

import threading
import time
from typing import Callable, Iterator, Sequence

from depth_anything_ros.api import DepthEstimator, glb_bytes
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.multi_view import Views
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.errors import Busy, Cancelled, InvalidRequest, PayloadTooLarge
from depth_anything_ros.reconstruction.options import SceneOptions
from depth_anything_ros.service import DepthService
import numpy as np
import pytest
from scene_world import COUNT, exact_engine, exact_views, seen

TIMEOUT = 60


@pytest.fixture
def service() -> Iterator[DepthService]:
    with_engine = DepthService(exact_engine())
    yield with_engine
    with_engine.close()


def test_a_scene_comes_with_progress_that_never_falls(service: DepthService) -> None:
    steps: list[tuple[str, float]] = []
    scene = service.reconstruct(
        seen()[0], SceneOptions(num_max_points=500), progress=lambda *step: steps.append(step))
    assert len(scene.points) == 500 and len(scene.extrinsics) == COUNT
    assert steps == [('preparing', 0.1), ('inference', 0.3), ('fusing', 0.7), ('done', 1.0)]
    assert set(scene.timings) == {'preparing', 'inference', 'fusing'}


@pytest.mark.parametrize('stop', ['preparing', 'inference', 'fusing', 'done'])
def test_it_stops_before_the_next_step(service: DepthService, stop: str) -> None:
    steps: list[str] = []

    def cancelled() -> bool:
        return {'preparing': 0, 'inference': 1, 'fusing': 2, 'done': 3}[stop] == len(steps)

    with pytest.raises(Cancelled, match=stop):
        service.reconstruct(
            seen()[0], progress=lambda step, share: steps.append(step), cancelled=cancelled)
    assert stop not in steps


class Gate:
    """Views that come when they may."""

    def __init__(self) -> None:
        self.entered, self.open = threading.Semaphore(0), threading.Event()
        self.calls = 0

    def views(self, frames: Sequence[Frame]) -> Views:
        self.calls += 1
        self.entered.release()
        assert self.open.wait(TIMEOUT)
        return exact_views(frames)


def in_thread(function: object, *arguments: object, **named: object) -> tuple[threading.Thread,
                                                                              list[object]]:
    found: list[object] = []

    def work() -> None:
        try:
            found.append(function(*arguments, **named))
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, found


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(100 * TIMEOUT):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError('waited in vain')


def test_what_waits_for_the_device_can_be_withdrawn_and_frees_its_place() -> None:
    gate = Gate()
    service = DepthService(exact_engine(gate.views), queue_size=2)
    withdrawn = threading.Event()
    try:
        first, scene = in_thread(service.reconstruct, seen()[0])
        assert gate.entered.acquire(timeout=TIMEOUT)
        waiting = threading.Event()
        second, error = in_thread(
            service.reconstruct, seen()[0], cancelled=withdrawn.is_set,
            progress=lambda step, share: step == 'inference' and waiting.set())
        assert waiting.wait(TIMEOUT)
        withdrawn.set()
        second.join(TIMEOUT)
        assert isinstance(error[0], Cancelled)
        gate.open.set()
        first.join(TIMEOUT)
        assert len(scene[0].extrinsics) == COUNT
        assert gate.calls == 1
    finally:
        gate.open.set()
        service.close()


def test_too_many_at_once_are_busy() -> None:
    gate = Gate()
    service = DepthService(exact_engine(gate.views), queue_size=1)
    try:
        first, _ = in_thread(service.reconstruct, seen()[0])
        assert gate.entered.acquire(timeout=TIMEOUT)
        with pytest.raises(Busy):
            service.reconstruct(seen()[0])
        gate.open.set()
        first.join(TIMEOUT)
    finally:
        gate.open.set()
        service.close()


def test_a_stream_waits_for_one_reconstruction_and_no_more() -> None:
    # While the first call runs, a frame and further calls come: the frame is next.
    order: list[str] = []
    gate = Gate()

    def views(frames: Sequence[Frame]) -> Views:
        order.append('views' if len(frames) > 1 else 'frame')
        return gate.views(frames)

    service = DepthService(exact_engine(views), queue_size=4)
    done = threading.Event()
    stream = service.stream('camera', lambda result: done.set(), lambda error: done.set())
    threads = []
    try:
        threads.append(in_thread(service.reconstruct, seen()[0])[0])
        assert gate.entered.acquire(timeout=TIMEOUT)
        stream.submit(lambda: seen()[0][0], FrameOptions())
        wait_for(lambda: service.statistics().waiting[1] == 1)
        for _ in range(3):
            threads.append(in_thread(service.reconstruct, seen()[0])[0])
        gate.open.set()
        assert done.wait(TIMEOUT)
        for thread in threads:
            thread.join(TIMEOUT)
        assert order[:2] == ['views', 'frame']
        assert order.count('views') == 4
    finally:
        gate.open.set()
        service.close()


def test_several_images_need_a_model_that_knows_poses() -> None:
    service = DepthService(exact_engine(multi_view=False))
    try:
        with pytest.raises(InvalidRequest, match='one image only, seen 8; several need an any-v'):
            service.reconstruct(seen()[0])
        assert len(service.reconstruct(seen()[0][:1]).extrinsics) == 1
    finally:
        service.close()


def test_an_unknown_camera_is_assumed_and_said() -> None:
    service = DepthService(exact_engine(multi_view=False))
    try:
        frame = seen()[0][0]
        assert 'field of view of 60 degrees is assumed' in service.reconstruct([frame]).notes[0]
        assert service.reconstruct([frame], SceneOptions(fov_deg=75.0)).notes == ()
    finally:
        service.close()


def test_too_many_pixels_are_refused_before_the_device() -> None:
    gate = Gate()
    service = DepthService(exact_engine(gate.views), max_megapixels=0.05)
    try:
        with pytest.raises(PayloadTooLarge, match='8 images of 112x84 .* so 5 of this size'):
            service.reconstruct(seen()[0])
        with pytest.raises(InvalidRequest, match='at least one image'):
            service.reconstruct([])
        assert gate.calls == 0
    finally:
        service.close()


def test_the_same_images_give_the_same_bytes(service: DepthService) -> None:
    first, second = (service.reconstruct(seen()[0], SceneOptions(num_max_points=3000))
                     for _ in range(2))
    assert first.points.tobytes() == second.points.tobytes()
    assert np.array_equal(first.extrinsics, second.extrinsics)


def test_the_python_interface_does_the_same() -> None:
    frames = seen()[0]
    with DepthEstimator(engine=exact_engine(by_colour)) as estimator:
        scene = estimator.reconstruct([frame.rgb for frame in frames])
        assert glb_bytes(scene)[:4] == b'glTF' and len(scene.extrinsics) == COUNT
        with pytest.raises(PayloadTooLarge):
            estimator.reconstruct([frame.rgb for frame in frames], max_megapixels=0.01)
        with pytest.raises(Cancelled):
            estimator.reconstruct([frames[0].rgb], cancelled=lambda: True)
    with DepthEstimator(engine=GivenDepthEngine(lambda frame: frame.rgb[..., 0])) as estimator, \
            pytest.raises(InvalidRequest, match='makes no reconstructions'):
        estimator.reconstruct([frames[0].rgb])


def by_colour(frames: Sequence[Frame]) -> Views:
    """Return the exact views of images that have lost their stamps."""
    index = {frame.rgb.tobytes(): frame for frame in seen()[0]}
    return exact_views([index[frame.rgb.tobytes()] for frame in frames])
