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
What one more image costs a scene that grows, against doing all images again; and the drift.

``python -m bench.reconstruction``. Cost: da3-small with random weights, whose answers mean nothing
but take as long as real ones. Drift: exact views of a known room with a frame, a scale and noise
per call (:mod:`bench.noisy_room`).
"""

from __future__ import annotations

import argparse
from typing import Callable, Sequence

from bench import report
from bench.noisy_room import EXACT, Noise, NoisyRoom
from bench.pairs import interleave
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.process import set_up_process
from depth_anything_ros.reconstruction.fusion import fuse
from depth_anything_ros.reconstruction.incremental import IncrementalScene, OVERLAP, WINDOW
from depth_anything_ros.reconstruction.options import SceneOptions
from depth_anything_ros.service import DepthService
import numpy as np

COUNTS = (8, 16, 32)
LENGTHS = (24, 48, 96)
SIZE = (140, 112)
FLAT, DRIFT = 1.3, 4.0


def open_service() -> DepthService:
    """Return the service of da3-small with random weights on the CPU."""
    from depth_anything_ros.engine.da3 import DA3Engine
    return DepthService(DA3Engine.load('da3-small', device='cpu', random_weights=0))


def cost_rows(
    service: DepthService, rounds: int, counts: Sequence[int] = COUNTS,
    size: tuple[int, int] = SIZE,
) -> list[report.Row]:
    """
    Return what one more image costs.

    :param service: what reconstructs.
    :param rounds: measurements of every way.
    :param counts: images that are in the scene already.
    :param size: (width, height) of the images, which the network sees as they are.
    """
    frames = NoisyRoom(max(counts) + rounds + 2, EXACT, *size).frames
    options = SceneOptions(process_res=size[0], num_max_points=100_000)
    ways: dict[str, Callable[[], object]] = {}
    for count in counts:
        ways[f'add to {count}'] = adding(service, options, frames, count)
        ways[f'all of {count + 1}'] = again(service, options, frames[:count + 1])
    samples = interleave(ways, rounds=rounds, warm_up=1)
    few, many = counts[0], counts[-1]
    rows = [report.compared(samples, f'add to {count}', f'all of {count + 1}')
            for count in counts]
    rows.append(report.compared(
        samples, f'add to {many}', f'add to {few}', report.bar('at most', FLAT)))
    rows.append(report.compared(samples, f'all of {many + 1}', f'all of {few + 1}'))
    return rows


def adding(
    service: DepthService, options: SceneOptions, frames: Sequence[Frame], count: int,
) -> Callable[[], object]:
    """Return what adds the next image to a scene of ``count`` images, one more each time."""
    scene = service.incremental(options)
    scene.add(frames[:count])
    return lambda: (scene.add([frames[len(scene)]]), scene.scene())


def again(
    service: DepthService, options: SceneOptions, frames: Sequence[Frame],
) -> Callable[[], object]:
    """Return what reconstructs all images at once."""
    return lambda: service.reconstruct(frames, options)


def drift_rows(lengths: Sequence[int] = LENGTHS) -> list[report.Row]:
    """Return how far the cameras of a growing scene stray, against all images at once."""
    rows = []
    options = SceneOptions(num_max_points=10_000)
    for length in lengths:
        room = NoisyRoom(length, Noise())
        scene = IncrementalScene(room.views, options)
        for frame in room.frames:
            scene.add([frame])
        whole = fuse(room.views(room.frames), options)
        grown, once = (rms(room.camera_errors(each.camera_to_world))
                       for each in (scene.scene(), whole))
        rows.append(report.row(
            f'{length} images: error of the cameras, grown / at once', grown / once,
            report.bar('at most', DRIFT), milliseconds=f'{1e3 * grown:.1f} mm',
            against_milliseconds=f'{1e3 * once:.1f} mm'))
    return rows


def rms(errors: np.ndarray) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt((errors ** 2).mean()))


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=7)
    arguments = parser.parse_args()
    set_up_process()
    service = open_service()
    try:
        rows = cost_rows(service, arguments.rounds)
    finally:
        service.close()
    report.save(
        'reconstruction', 'ratio', rows + drift_rows(),
        notes=(f'A growing scene sees windows of {WINDOW} images, {OVERLAP} of them again. The '
               'room is about 5 m wide; the drift is the root mean square over all cameras after '
               'the best similarity.',),
        columns={'against_milliseconds': 'against, ms', 'milliseconds': 'ms'},
        rounds=arguments.rounds, image=f'{SIZE[0]}x{SIZE[1]}')


if __name__ == '__main__':
    main()
