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

"""A scene that grows by new images at a cost that does not grow with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Sequence

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.multi_view import anchored, Views
from depth_anything_ros.errors import Cancelled, InvalidImage, InvalidRequest
from depth_anything_ros.reconstruction.alignment import robust_similarity, Similarity
from depth_anything_ros.reconstruction.fusion import (
    chosen_points,
    statistics,
    sure_pixels,
    valid_pixels,
    world_points,
)
from depth_anything_ros.reconstruction.options import SceneOptions
from depth_anything_ros.reconstruction.sample import Sample
from depth_anything_ros.reconstruction.scene import DepthStatistics, Scene
from depth_anything_ros.reconstruction.steps import never, nobody, Progress
import numpy as np
import numpy.typing as npt

WINDOW = 8
"""Images that the network sees together."""

OVERLAP = 4
"""Images of a window that were seen before, when there are so many."""

MOST_PAIRS = 3000
"""Pairs of points that a window is aligned by."""

MOST_KEPT = 4_000_000
"""Points that are kept of a scene that grows, 27 bytes each: 108 MB."""

POOR_FIT = 0.5
"""A window that agrees with the earlier ones in less than this share of its points is reported."""

ViewsOf = Callable[[Sequence[Frame], Callable[[], bool]], Views]


class IncrementalScene:
    """
    A scene to which images are added, each at the same cost.

    New images go through the network in windows of :data:`WINDOW`, together with up to
    :data:`OVERLAP` of the newest earlier ones. What the network says about those again gives
    pairs of points, pixel by pixel, and by these the window is put into the scene
    (:func:`robust_similarity`), whatever its own scale and frame are. Earlier images are not
    moved any more, so errors add up from window to window: a reconstruction of all images at once
    is better, and dearer.

    Memory is bounded: depth, colour and confidence of OVERLAP images (11 bytes a pixel), 27 bytes
    for each of at most :data:`MOST_KEPT` points (a fair sample of all that was seen), and half a
    kilobyte per image for its camera. The images themselves are not kept but for OVERLAP.
    """

    def __init__(
        self, views_of: ViewsOf, options: SceneOptions, *,
        window: int = WINDOW, overlap: int = OVERLAP, most_kept: int = MOST_KEPT,
    ) -> None:
        """
        Begin with no image.

        :param views_of: runs the network on the images of a window; it may ask whether to stop.
        :param options: how images become a scene.
        :param window: images that the network sees together, more than ``overlap``.
        :param overlap: how many of them were seen before, at least 1.
        :param most_kept: points that are kept.
        """
        if not 1 <= overlap < window:
            raise InvalidRequest(
                f'a window of {window} images cannot overlap by {overlap}; accepted: 1 to '
                f'{window - 1}')
        self._views_of, self._options = views_of, options
        self._window, self._overlap = window, overlap
        self._most_kept = max(most_kept, 1)
        self._frames: tuple[Frame, ...] = ()
        self._last: Views | None = None
        self._sample = Sample.empty()
        self._cameras: list[npt.NDArray[np.float64]] = []
        self._poses: list[npt.NDArray[np.float64]] = []
        self._depths: list[DepthStatistics] = []
        self._total = 0
        self._notes: dict[str, None] = {}

    def __len__(self) -> int:
        """Return the number of images in the scene."""
        return len(self._poses)

    @property
    def room(self) -> int:
        """Return how many new images the next window takes."""
        return self._window - len(self._frames)

    def add(
        self, frames: Sequence[Frame], *, progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        """
        Add images, window by window; what an error or a cancellation leaves is whole.

        ``len()`` says how many images are in afterwards: after an error go on behind those.

        :param frames: the new images, in the order they were taken.
        :param progress: told of each window and how much of the new images is done.
        :param cancelled: asked before each window, and while it waits, whether to stop.
        :raises Cancelled: when ``cancelled`` said so.
        :raises InvalidImage: when new images share no surface with the earlier ones.
        :raises InvalidRequest: when they have another processed size than the earlier ones.
        """
        watch, withdrawn = progress or nobody, cancelled or never
        done = 0
        while done < len(frames):
            if withdrawn():
                raise Cancelled(f'cancelled before image {len(self)}')
            watch(f'images {len(self)} and on', done / len(frames))
            new = tuple(frames[done:done + self.room])
            self._take(self._views_of((*self._frames, *new), withdrawn), new)
            done += len(new)

    def scene(self) -> Scene:
        """
        Return the scene of all images so far, in the optical frame of the first camera.

        :raises InvalidImage: when no pixel of any image has a valid depth.
        """
        if self._last is None or not len(self._sample.points):
            raise InvalidImage(
                f'nothing to reconstruct: no pixel of {len(self)} image(s) has a valid depth')
        sample, last = self._sample, self._last
        chosen = chosen_points(sample.points, self._options)
        height, width = last.depth.shape[1:]
        return Scene(
            points=sample.points[chosen], colours=sample.colours[chosen],
            confidence=None if last.confidence is None else sample.confidence[chosen],
            extrinsics=np.stack(self._poses), intrinsics=np.stack(self._cameras),
            size=(width, height), depths=tuple(self._depths), total_points=self._total,
            kind=last.kind, scale_law=str(last.scale_law), model=last.model,
            notes=tuple(self._notes))

    def _take(self, views: Views, new: tuple[Frame, ...]) -> None:
        """Put a window into the scene: all of it or, on an error, nothing."""
        shared = len(self._frames)
        if self._last is None:
            views = anchored(views)
        else:
            if views.depth.shape[1:] != self._last.depth.shape[1:]:
                raise InvalidRequest(
                    'a scene grows by images of one processed size, so far '
                    f'{self._last.depth.shape[2]}x{self._last.depth.shape[1]}, seen '
                    f'{views.depth.shape[2]}x{views.depth.shape[1]}; all at once they may differ')
            place = self._place(part(views, slice(0, shared)))
            views = place.views(views)
            if place.inliers < POOR_FIT:
                self._notes[
                    f'image {len(self)} and on fit the earlier ones badly: only '
                    f'{place.inliers:.0%} of the points seen twice agree'] = None
        added = part(views, slice(shared, None))
        self._add_points(added)
        self._cameras += list(added.intrinsics)
        self._poses += list(added.extrinsics)
        self._notes.update(dict.fromkeys(views.notes))
        # Of images seen twice the first answer stays: everything after them stands on it.
        known = added if self._last is None else joined(self._last, added)
        self._last = part(known, slice(-self._overlap, None))
        self._frames = (*self._frames, *new)[-self._overlap:]

    def _place(self, again: Views) -> Similarity:
        """Return where a window belongs, by what it says about images seen before."""
        before = self._last
        assert before is not None
        both = valid_pixels(before, self._options) & valid_pixels(again, self._options)
        if both.sum() < 3:
            raise InvalidImage(
                f'image {len(self)} and on cannot be joined to the earlier ones: the last '
                f'{len(again)} images have no surface to align by; all at once they may be')
        pixels = np.flatnonzero(both)
        if len(pixels) > MOST_PAIRS:
            rng = np.random.default_rng(len(self))
            pixels = np.sort(rng.choice(pixels, MOST_PAIRS, replace=False))
        mask = np.zeros_like(both)
        mask.flat[pixels] = True
        source, target = (np.concatenate([
            world_points(views, index, mask[index]) for index in range(len(views))])
            .astype(np.float64) for views in (again, before))
        return robust_similarity(source, target, before.depth[mask].astype(np.float64))

    def _add_points(self, views: Views) -> None:
        valid = valid_pixels(views, self._options)
        keep = sure_pixels(views, valid, self._options.conf_thresh_percentile)
        added = Sample.empty()
        for index in range(len(views)):
            mask = keep[index]
            points = world_points(views, index, mask)
            sure = np.zeros(len(points), np.float32)
            if views.confidence is not None:
                sure = views.confidence[index][mask]
            ranks = np.random.default_rng(len(self._depths)).random(len(points))
            added = added.joined(
                Sample(points, views.rgb[index][mask], sure, ranks), self._most_kept)
            self._total += len(points)
            self._depths.append(statistics(views.depth[index][valid[index]]))
        self._sample = self._sample.joined(added, self._most_kept)


def part(views: Views, chosen: slice) -> Views:
    """Return some of the views."""
    return replace(
        views, rgb=views.rgb[chosen], depth=views.depth[chosen],
        intrinsics=views.intrinsics[chosen], extrinsics=views.extrinsics[chosen],
        confidence=None if views.confidence is None else views.confidence[chosen],
        sky=None if views.sky is None else views.sky[chosen])


def joined(first: Views, second: Views) -> Views:
    """Return the views of both, which say the same kind of things in one world."""
    def both(name: str) -> npt.NDArray[np.generic] | None:
        pair = getattr(first, name), getattr(second, name)
        return None if pair[0] is None else np.concatenate(pair)

    names = ('rgb', 'depth', 'intrinsics', 'extrinsics', 'confidence', 'sky')
    return replace(second, **{name: both(name) for name in names})  # type: ignore[arg-type]
