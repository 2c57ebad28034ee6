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
From a full HD image to the network's input, and what the faster filter does to the depth.

``python -m bench.preprocess --upstream PYTHON``; ``bench/upstream.py`` says how to make that.
"""

from __future__ import annotations

import argparse
from functools import partial

from bench import report
from bench.engine import scene
from bench.pairs import interleave, once, one_processor, spread
from bench.upstream import Upstream
from depth_anything_ros.process import set_up_process
import numpy as np

SIZE = 1920, 1080


def times(python: str, rounds: int) -> list[report.Row]:
    """Return the rows of upstream's InputProcessor against ours."""
    import cv2
    from depth_anything_ros.core.processed_size import plan
    from depth_anything_ros.engine.native import load
    from depth_anything_ros.engine.native_areas import NativeAreas
    from depth_anything_ros.engine.native_prepare import NativePreparer
    kernels, missing = load()
    if kernels is None:
        raise SystemExit(missing)
    fast, exact = NativePreparer(kernels), NativeAreas(kernels)
    cv2.setNumThreads(1)
    image = scene(*SIZE)
    steps = plan(*SIZE, 504, 'upper_bound_resize')

    upstream = Upstream(python, 'da3-small', image, 0)
    try:
        theirs = "upstream's InputProcessor"
        samples = interleave({
            theirs: upstream.way('preprocess'),
            'fast': partial(once, lambda: fast(image, steps)),
            'exact': partial(once, lambda: exact(image, steps))}, rounds=rounds, warm_up=3,
            measure=lambda way: way())
    finally:
        upstream.close()
    return [report.compared(samples, theirs, 'fast', report.bar('at least', 10.0)),
            report.compared(samples, theirs, 'exact')]


def effect(views: int) -> list[report.Row]:
    """Return what fast changes in the depth of da3-tiny, in its rooms with known depth."""
    from depth_anything_ros.core.accuracy import accuracy
    from depth_anything_ros.core.camera import Intrinsics
    from depth_anything_ros.core.frame import Frame
    from depth_anything_ros.core.options import FrameOptions, Preprocess
    from depth_anything_ros.engine.da3 import DA3Engine
    from depth_anything_ros.scenes import demo_rooms, random_view, render
    engine = DA3Engine.load('da3-tiny', device='cpu')
    camera = Intrinsics.from_fov(70.0, 640, 480)
    errors: dict[Preprocess, list[float]] = {each: [] for each in Preprocess}
    changes = []
    for index in range(views):
        room = demo_rooms()[index % len(demo_rooms())]
        view = render(room, random_view(room, np.random.default_rng((77, index))), camera)
        depth = {}
        for way in Preprocess:
            prepared = engine.prepare(
                Frame(view.rgb, intrinsics=camera), FrameOptions(preprocess=way))
            depth[way] = engine.finish(engine.infer([prepared])[0]).depth
            found = accuracy(depth[way], view.depth)
            assert found is not None
            errors[way].append(found.abs_rel)
        changes.append(float(np.nanmean(np.abs(
            depth[Preprocess.FAST] / depth[Preprocess.EXACT] - 1))))
    return [
        report.row('AbsRel of da3-tiny, exact', float(np.mean(errors[Preprocess.EXACT]))),
        report.row('AbsRel of da3-tiny, fast', float(np.mean(errors[Preprocess.FAST]))),
        report.row('relative change of the depth, mean of a view', spread(changes))]


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--upstream', required=True, help='Python with the packages it needs')
    parser.add_argument('--rounds', type=int, default=30)
    parser.add_argument('--views', type=int, default=16)
    arguments = parser.parse_args()
    set_up_process()
    effects = effect(arguments.views)
    one_processor()
    rows = times(arguments.upstream, arguments.rounds) + effects
    report.save(
        'preprocess', 'ratio', rows, rounds=arguments.rounds, views=arguments.views,
        columns={'milliseconds': 'ms', 'against_milliseconds': 'against, ms'}, notes=[
            f'Times from {SIZE[0]}x{SIZE[1]} to 504x280. The effect on depth is measured on '
            '640x480 views of the demo rooms at 168x126, the same ratio, where fast halves once '
            'and then resizes linearly by 1.9: it blurs less and aliases a little.'])


if __name__ == '__main__':
    main()
