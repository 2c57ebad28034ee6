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

"""A scene that grows: windows are put in place, cost stays flat, memory bounded, errors small."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, Sequence

from bench.noisy_room import EXACT, Noise, NoisyRoom, turned
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.multi_view import Views
from depth_anything_ros.errors import Cancelled, InferenceFailed, InvalidImage, InvalidRequest
from depth_anything_ros.reconstruction.alignment import robust_similarity, Similarity, umeyama
from depth_anything_ros.reconstruction.fusion import fuse
from depth_anything_ros.reconstruction.incremental import IncrementalScene
from depth_anything_ros.reconstruction.options import SceneOptions
from depth_anything_ros.service import DepthService
import numpy as np
import pytest
from scene_world import exact_engine, seen

COUNT = 24
OPTIONS = SceneOptions(num_max_points=20_000)


def cloud(count: int = 400) -> np.ndarray:
    return np.random.default_rng(1).uniform(-2, 2, (count, 3)) + (0, 0, 4)


def known() -> Similarity:
    return Similarity(1.7, turned(np.array([40.0, -70.0, 110.0])), np.array([1.0, -2.0, 3.0]))


def test_umeyama_finds_a_similarity_and_never_a_mirror() -> None:
    source = cloud()
    scale, rotation, translation = umeyama(source, known().points(source), np.ones(len(source)))
    assert float(scale) == pytest.approx(1.7)
    np.testing.assert_allclose(rotation, known().rotation, atol=1e-9)
    np.testing.assert_allclose(translation, known().translation, atol=1e-9)
    mirrored = source * (1, 1, -1)
    assert np.linalg.det(umeyama(source, mirrored, np.ones(len(source)))[1]) == pytest.approx(1)


def test_weights_decide() -> None:
    source = cloud()
    target = known().points(source)
    target[::2] += 5
    weights = np.ones(len(source))
    weights[::2] = 0
    assert float(umeyama(source, target, weights)[0]) == pytest.approx(1.7)


@pytest.mark.parametrize('share', [0.0, 0.2, 0.5])
def test_outliers_do_not_matter(share: float) -> None:
    rng = np.random.default_rng(2)
    source = cloud(1000)
    target = known().points(source)
    wrong = rng.random(len(source)) < share
    target[wrong] += rng.uniform(0.5, 5, (int(wrong.sum()), 3))
    target += 0.01 * rng.standard_normal(target.shape)
    found = robust_similarity(source, target, np.full(len(source), 4.0))
    assert found.scale == pytest.approx(1.7, rel=2e-3)
    np.testing.assert_allclose(found.rotation, known().rotation, atol=2e-3)
    np.testing.assert_allclose(found.translation, known().translation, atol=0.02)
    assert found.inliers == pytest.approx(1 - share, abs=0.05)


def test_moved_views_show_the_same() -> None:
    room = NoisyRoom(4, EXACT)
    views = replace(room.views(room.frames), extrinsics=room.views(room.frames).extrinsics)
    moved = known().views(views)
    first, second = (fuse(each, OPTIONS) for each in (views, moved))
    np.testing.assert_allclose(second.points, 1.7 * first.points, rtol=1e-3, atol=1e-4)


def grown(room: NoisyRoom, step: int = 1, **arguments: Any) -> IncrementalScene:
    scene = IncrementalScene(room.views, OPTIONS, **arguments)
    for start in range(0, len(room.frames), step):
        scene.add(room.frames[start:start + step])
    return scene


@pytest.mark.parametrize('step', [1, 5, COUNT])
def test_exact_windows_of_any_frame_and_scale_make_the_scene_of_all_at_once(step: int) -> None:
    room = NoisyRoom(COUNT, EXACT)
    scene = grown(room, step).scene()
    assert room.camera_errors(scene.camera_to_world).max() < 1e-4
    assert len(scene.extrinsics) == len(scene.depths) == COUNT
    whole = fuse(room.views(room.frames), OPTIONS)
    assert scene.total_points == pytest.approx(whole.total_points, rel=0.01)
    scale = np.linalg.norm(scene.camera_to_world[12, :3, 3]) / np.linalg.norm(
        whole.camera_to_world[12, :3, 3])
    for percent in (5, 50, 95):
        np.testing.assert_allclose(
            np.percentile(scene.points, percent, axis=0),
            scale * np.percentile(whole.points, percent, axis=0), atol=0.15 * scale)
    assert scene.notes == ()


def test_a_noisy_model_drifts_little() -> None:
    room = NoisyRoom(COUNT, Noise())
    drift = room.camera_errors(grown(room).scene().camera_to_world)
    whole = room.camera_errors(fuse(room.views(room.frames), OPTIONS).camera_to_world)
    assert np.sqrt((whole ** 2).mean()) < 0.02
    assert np.sqrt((drift ** 2).mean()) < 0.06
    assert drift.max() < 0.12


def test_the_cost_of_an_image_does_not_grow() -> None:
    room = NoisyRoom(COUNT, EXACT)
    scene = IncrementalScene(room.views, OPTIONS)
    costs = []
    for frame in room.frames:
        before = room.seen
        scene.add([frame])
        costs.append(room.seen - before)
    assert costs[:4] == [1, 2, 3, 4] and set(costs[4:]) == {5}
    assert len(scene) == COUNT


def test_many_at_once_share_windows() -> None:
    room = NoisyRoom(COUNT, EXACT)
    grown(room, COUNT)
    # 8 first, then 4 new ones beside 4 known ones.
    assert (room.calls, room.seen) == (5, 40)


def test_memory_is_bounded_and_the_sample_fair() -> None:
    room = NoisyRoom(COUNT, EXACT)
    scene = grown(room, 6, most_kept=3000)
    sample = scene._sample
    assert len(sample.points) == 3000 and sample.ranks.nbytes == 3000 * 8
    assert len(scene._frames) == 4 and len(scene._last.depth) == 4
    made = scene.scene()
    whole = fuse(room.views(room.frames), OPTIONS)
    assert made.total_points == pytest.approx(whole.total_points, rel=0.01)
    share = (sample.ranks.max() * made.total_points) / 3000
    assert share == pytest.approx(1.0, abs=0.1)


def test_the_same_images_give_the_same_points() -> None:
    first, second = (grown(NoisyRoom(12, Noise()), 3).scene() for _ in range(2))
    assert first.points.tobytes() == second.points.tobytes()
    assert first.extrinsics.tobytes() == second.extrinsics.tobytes()


def failing(room: NoisyRoom, at: int, error: Exception) -> Callable[..., Views]:
    def views(frames: Sequence[Frame], cancelled: Callable[[], bool]) -> Views:
        if room.calls == at:
            room.calls += 1
            raise error
        return room.views(frames)
    return views


def test_an_error_leaves_whole_windows_and_one_can_go_on() -> None:
    room = NoisyRoom(16, EXACT)
    scene = IncrementalScene(failing(room, 1, InferenceFailed('gone')), OPTIONS)
    with pytest.raises(InferenceFailed):
        scene.add(room.frames)
    assert len(scene) == 8 and len(scene.scene().extrinsics) == 8
    scene.add(room.frames[len(scene):])
    assert room.camera_errors(scene.scene().camera_to_world).max() < 1e-4


def test_it_can_be_withdrawn_between_windows() -> None:
    room = NoisyRoom(16, EXACT)
    scene = IncrementalScene(room.views, OPTIONS)
    shares: list[float] = []
    with pytest.raises(Cancelled, match='before image 12'):
        scene.add(room.frames, progress=lambda step, share: shares.append(share),
                  cancelled=lambda: len(scene) == 12)
    assert shares == sorted(shares) == [0.0, 0.5] and len(scene) == 12


def test_what_cannot_be_joined_is_refused_and_what_fits_badly_is_said() -> None:
    room = NoisyRoom(12, EXACT)

    def blind(frames: Sequence[Frame], *_: Any) -> Views:
        views = room.views(frames)
        if room.calls > 1:
            views.depth[:] = np.nan
        return views

    scene = IncrementalScene(blind, OPTIONS)
    scene.add(room.frames[:8])
    with pytest.raises(InvalidImage, match='image 8 and on cannot be joined'):
        scene.add(room.frames[8:])
    assert len(scene) == 8
    noisy = NoisyRoom(12, replace(EXACT, outliers=0.7))
    noted = IncrementalScene(noisy.views, OPTIONS)
    noted.add(noisy.frames)
    assert any('fit the earlier ones badly' in note for note in noted.scene().notes)


def test_other_sizes_and_impossible_windows_are_refused() -> None:
    small, large = NoisyRoom(8, EXACT), NoisyRoom(8, EXACT, 98, 70)
    rooms = [small, large]

    def views(frames: Sequence[Frame], *_: Any) -> Views:
        room = rooms.pop(0)
        return room.views([room.frames[frame.stamp_ns] for frame in frames])

    scene = IncrementalScene(views, OPTIONS)
    scene.add(small.frames[:2])
    with pytest.raises(InvalidRequest, match='so far 84x70, seen 98x70'):
        scene.add(large.frames[2:4])
    with pytest.raises(InvalidRequest, match='accepted: 1 to 3'):
        IncrementalScene(small.views, OPTIONS, window=4, overlap=4)
    with pytest.raises(InvalidImage, match='0 image'):
        IncrementalScene(small.views, OPTIONS).scene()


def test_the_service_grows_scenes_on_its_device() -> None:
    service = DepthService(exact_engine())
    try:
        scene = service.incremental(OPTIONS)
        scene.add(seen()[0][:5])
        scene.add(seen()[0][5:])
        truth = np.linalg.inv(seen()[2][0]) @ seen()[2]
        np.testing.assert_allclose(scene.scene().camera_to_world, truth, atol=1e-5)
        assert service.statistics().done == 2
    finally:
        service.close()
    single = DepthService(exact_engine(multi_view=False))
    try:
        with pytest.raises(InvalidRequest, match='cannot grow'):
            single.incremental()
    finally:
        single.close()
