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
Our engine against upstream's own ``inference()``: same random weights, same frame, interleaved.

``python -m bench.engine --upstream PYTHON``; ``bench/upstream.py`` says how to make that.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from bench import report
from bench.pairs import interleave, once
from bench.upstream import Upstream
from depth_anything_ros.process import set_up_process
import numpy as np

SEED = 3


def scene(width: int, height: int) -> Any:
    """Return a picture with edges and slopes, (height, width, 3) uint8."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    picture = np.stack([127 + 100 * np.sin(x / 40) * np.cos(y / 30), 255 * x / width,
                        255 * y / height], -1)
    picture[height // 3:height // 2, width // 4:width // 2] = (30, 200, 90)
    return picture.astype(np.uint8)


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--upstream', required=True, help='Python with the packages it needs')
    parser.add_argument('--model', default='da3-small')
    parser.add_argument('--size', default='640x480')
    parser.add_argument('--rounds', type=int, default=10)
    parser.add_argument('--name', default='engine', help='of the result')
    arguments = parser.parse_args()
    set_up_process()
    from depth_anything_ros.core.frame import Frame
    from depth_anything_ros.core.options import FrameOptions, Output
    from depth_anything_ros.engine.da3 import DA3Engine
    import torch
    width, height = (int(side) for side in arguments.size.split('x'))
    image = scene(width, height)
    engine = DA3Engine.load(arguments.model, random_weights=SEED)
    frame = Frame(image)
    options = FrameOptions(fov_deg=60.0, outputs=frozenset({Output.DEPTH, Output.CONFIDENCE}))
    prepared = engine.prepare(frame, options)
    inferred = engine.infer([prepared])

    def whole() -> Any:
        return engine.finish(engine.infer([engine.prepare(frame, options)])[0])

    upstream = Upstream(arguments.upstream, arguments.model, image, SEED)
    try:
        raw = engine.finish(engine.infer([engine.prepare(
            frame, FrameOptions(raw=True))])[0]).depth
        network_error = np.abs(raw / upstream.depth('network') - 1)
        whole_error = np.abs(raw / upstream.depth('inference') - 1)
        assert network_error.max() < 1e-3, network_error.max()
        ours, theirs = 'our engine, whole', "upstream's inference()"
        samples = interleave({
            ours: partial(once, whole), theirs: upstream.way('inference'),
            'our network': partial(once, lambda: engine.infer([prepared])),
            "upstream's network, fp32": upstream.way('network'),
            'our preparing': partial(once, lambda: engine.prepare(frame, options)),
            "upstream's preparing": upstream.way('preprocess'),
            'our finishing': partial(once, lambda: engine.finish(inferred[0]))},
            rounds=arguments.rounds, warm_up=2, measure=lambda way: way())
        about = upstream.about
    finally:
        upstream.close()
    report.save(
        arguments.name, 'time, ratio', [
            report.compared(samples, theirs, ours, report.bar('at least', 3.0)),
            report.compared(samples, "upstream's network, fp32", 'our network',
                            report.bar('at least', 1.25)),
            report.compared(samples, "upstream's preparing", 'our preparing'),
            report.compared(samples, 'our finishing', ours)],
        columns={'milliseconds': 'ms', 'against_milliseconds': 'against, ms'},
        model=arguments.model, size=arguments.size, rounds=arguments.rounds,
        threads=torch.get_num_threads(), notes=[
            f'Random weights (seed {SEED}), {about}. The largest relative difference of the '
            f"depth is {network_error.max():.1e} to upstream's network and "
            f'{whole_error.max():.1e} to its inference(), which computes in half precision.'])


if __name__ == '__main__':
    main()
