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
Measure da3-tiny on a real photograph: ``python training/evaluate_photograph.py``.

The left picture of the Middlebury 2014 motorcycle pair, as scikit-image ships it (install
``scikit-image`` to run this), has a measured disparity; depth = f * baseline / (d + doffs).
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

from depth_anything_ros.core.accuracy import accuracy
from depth_anything_ros.core.camera import Intrinsics
from evaluate_tiny import direct, engine, MODEL
import numpy as np

FOCAL, CENTRE_X, CENTRE_Y = 994.978, 311.193, 254.877
BASELINE_M, OFFSET = 0.193001, 31.086


def main() -> None:
    """Measure and print the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--model', type=Path, default=MODEL, help='folder of the checkpoint')
    parser.add_argument('--direct', action='store_true', help='without the engine')
    arguments = parser.parse_args()
    left, _, disparity = import_module('skimage.data').stereo_motorcycle()
    height, width = disparity.shape
    camera = Intrinsics(FOCAL, FOCAL, CENTRE_X, CENTRE_Y, width, height)
    with np.errstate(divide='ignore'):
        truth = np.float32(FOCAL * BASELINE_M) / (disparity + np.float32(OFFSET))
    truth[~np.isfinite(disparity)] = np.nan
    predict = (direct if arguments.direct else engine)(arguments.model)
    depth = predict(np.ascontiguousarray(left[..., :3]), camera)
    constant = np.full_like(truth, np.nanmedian(truth))
    print(f'measured depth {np.nanmin(truth):.2f} to {np.nanmax(truth):.2f} m '
          f'on {np.isfinite(truth).mean():.0%} of the pixels')
    print('da3-tiny', accuracy(depth, truth))
    print('one constant depth, the true median', accuracy(constant, truth))


if __name__ == '__main__':
    main()
