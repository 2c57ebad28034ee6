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
Measure da3-tiny in metres at the camera's own K: ``python training/evaluate_tiny.py``.

Prints the errors on unseen viewpoints of the demo's rooms and on rooms never used in training,
and writes them to ``accuracy.json`` beside the weights.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
import json
from pathlib import Path
from typing import Callable

import cv2
from depth_anything_ros.core.accuracy import accuracy
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.scenes import demo_rooms, make_room, random_view, render, View
import numpy as np
import numpy.typing as npt
from samples import EVALUATION_ROOMS, EVALUATION_VIEWS, make_samples, PROCESS_RES

Depth = npt.NDArray[np.float32]
Predict = Callable[[npt.NDArray[np.uint8], Intrinsics], Depth]
MODEL = Path(__file__).parents[1] / 'depth_anything_ros' / 'models' / 'da3-tiny'


def test_camera(index: int) -> Intrinsics:
    """Return a 640x480 camera with a field of view of 50 to 80 degrees."""
    fov = np.random.default_rng((EVALUATION_VIEWS, index)).uniform(50, 80)
    return Intrinsics.from_fov(float(fov), 640, 480)


def known_view(index: int) -> tuple[View, Intrinsics]:
    """Return an unseen viewpoint of one of the demo's rooms."""
    room = demo_rooms()[index % len(demo_rooms())]
    rng = np.random.default_rng((EVALUATION_VIEWS + 1, index))
    return render(room, random_view(room, rng), test_camera(index)), test_camera(index)


def unknown_view(index: int) -> tuple[View, Intrinsics]:
    """Return a viewpoint of a room that training never used."""
    room = make_room(EVALUATION_ROOMS + index)
    rng = np.random.default_rng((EVALUATION_VIEWS + 2, index))
    return render(room, random_view(room, rng), test_camera(index)), test_camera(index)


def measured(
    predict: Predict, view: Callable[[int], tuple[View, Intrinsics]], count: int,
) -> dict[str, float]:
    """Return the mean errors over ``count`` viewpoints."""
    rows = []
    for index in range(count):
        seen, camera = view(index)
        found = accuracy(predict(seen.rgb, camera), seen.depth)
        if found is None:
            raise SystemExit(f'viewpoint {index}: no depth at all')
        rows.append(asdict(found))
    return {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]}


def mean_map(batches: int = 40) -> Predict:
    """
    Return a predictor that knows only the mean depth map of training pictures (4:3).

    It is the geometric mean of canonical depth: the best constant under a relative error.
    """
    logs = [make_samples(number, 16, False, PROCESS_RES).log_depth for number in range(batches)]
    mean = np.exp(np.mean(np.concatenate(logs), axis=0))

    def predict(rgb: npt.NDArray[np.uint8], camera: Intrinsics) -> Depth:
        height, width = mean.shape
        metres = mean * np.float32(camera.resized(width, height).focal / 300)
        return np.asarray(cv2.resize(metres, camera.size, interpolation=cv2.INTER_LINEAR))

    return predict


def engine(folder: Path) -> Predict:
    """Return the predictor that goes through the whole engine, as a user's image does."""
    from depth_anything_ros.api import DepthEstimator
    estimator = DepthEstimator(str(folder), device='cpu')
    return lambda rgb, camera: estimator(rgb, K=camera.matrix()).depth


def direct(folder: Path) -> Predict:
    """Return the predictor that calls backbone and depth head alone."""
    from depth_anything_ros.engine.checkpoint import load_into
    from depth_anything_ros.engine.tiny import build_tiny
    from network import log_depth, MEAN, STD
    import torch
    net = build_tiny().eval()
    load_into(net, folder / 'model.safetensors')

    @torch.no_grad()
    def predict(rgb: npt.NDArray[np.uint8], camera: Intrinsics) -> Depth:
        height = 14 * int(PROCESS_RES * camera.height / camera.width / 14 + 0.5)
        small = cv2.resize(rgb, (PROCESS_RES, height), interpolation=cv2.INTER_AREA)
        image = torch.from_numpy(small).permute(2, 0, 1)[None].float() / 255
        canonical = log_depth(net, (image - MEAN) / STD).exp()[0].numpy()
        metres = canonical * np.float32(camera.resized(PROCESS_RES, height).focal / 300)
        return np.asarray(cv2.resize(metres, camera.size, interpolation=cv2.INTER_LINEAR))

    return predict


def main() -> None:
    """Measure, print and write the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--model', type=Path, default=MODEL, help='folder of the checkpoint')
    parser.add_argument('--count', type=int, default=200, help='viewpoints of each kind')
    parser.add_argument('--direct', action='store_true', help='without the engine')
    parser.add_argument('--dry-run', action='store_true', help='write nothing')
    arguments = parser.parse_args()
    predict = (direct if arguments.direct else engine)(arguments.model)
    result = {'viewpoints': arguments.count,
              'known_rooms': measured(predict, known_view, arguments.count),
              'unknown_rooms': measured(predict, unknown_view, arguments.count),
              'mean_map_on_unknown_rooms': measured(mean_map(), unknown_view, arguments.count)}
    print(json.dumps(result, indent=2))
    if not arguments.dry_run:
        (arguments.model / 'accuracy.json').write_text(json.dumps(result, indent=2) + '\n')


if __name__ == '__main__':
    main()
