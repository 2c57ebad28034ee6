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
Upstream's own code in a process of its own, run when asked: the other side of ``bench.engine``.

Its API needs packages that we do not install, two of them GPL. Make an environment outside of the
repository and hand its Python to ``python -m bench.engine --upstream PYTHON``::

    python -m venv /tmp/up
    echo "$PWD/.venv/lib/python3.11/site-packages" >/tmp/up/lib/python3.11/site-packages/our.pth
    /tmp/up/bin/pip install --no-deps torchvision==0.28.0
    /tmp/up/bin/pip install evo plyfile pycolmap trimesh imageio pandas
    /tmp/up/bin/pip install huggingface_hub moviepy==1.0.3
"""

from __future__ import annotations

from multiprocessing.connection import Client, Listener
from pathlib import Path
import subprocess
import sys
import tempfile
from typing import Any, Callable

from bench.pairs import once, Sample
import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parents[1]


class Upstream:
    """A process that runs upstream's steps one at a time."""

    def __init__(self, python: str, model: str, image: npt.NDArray[np.uint8], seed: int) -> None:
        """
        Start it and wait until it is ready.

        :param python: interpreter of the environment described above.
        :param model: model name.
        :param image: (H, W, 3) uint8 that every step works on.
        :param seed: of the random weights.
        """
        folder = tempfile.mkdtemp()
        listener = Listener(f'{folder}/pipe', 'AF_UNIX')
        self._process = subprocess.Popen(
            [python, '-m', 'bench.upstream', f'{folder}/pipe'], cwd=ROOT,
            stdout=subprocess.DEVNULL)
        self._pipe = listener.accept()
        self._pipe.send((model, image, seed))
        self.about: str = self._pipe.recv()

    def way(self, step: str) -> Callable[[], Sample]:
        """Return the call of a step: ``inference``, ``network`` or ``preprocess``."""
        def run() -> Sample:
            self._pipe.send(step)
            found: Sample = self._pipe.recv()
            return found
        return run

    def depth(self, step: str) -> npt.NDArray[np.float32]:
        """Return the depth that a step found, at the processed size."""
        self._pipe.send(f'depth {step}')
        found: npt.NDArray[np.float32] = self._pipe.recv()
        return found

    def close(self) -> None:
        """End the process."""
        self._pipe.send('')
        self._process.wait(20)


def import_api() -> Any:
    """Return upstream's API class; torchvision's wheel for CUDA lacks two operators here."""
    import torch
    library = torch.library.Library('torchvision', 'DEF')
    library.define('nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')
    library.define('qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')
    from depth_anything_3.api import DepthAnything3
    import_api.library = library  # type: ignore[attr-defined]
    return DepthAnything3


def main() -> None:
    """Serve one :class:`Upstream`."""
    pipe = Client(sys.argv[1], 'AF_UNIX')
    name, image, seed = pipe.recv()
    import torch
    api = import_api()(model_name=name).eval()
    from depth_anything_ros.engine.models import find
    from depth_anything_ros.engine.network import build_random
    api.model = build_random(find(name), seed)
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    api = api.to(device)
    api.device = device
    batch = api.input_processor([image], None, None, 504, 'upper_bound_resize')[0][None]
    batch = batch.to(device).float()

    def network() -> Any:
        with torch.no_grad():
            found = api.model(batch, None, None, [], False, False, 'saddle_balanced')
        if device.type == 'cuda':
            torch.cuda.synchronize()
        return found

    steps: dict[str, Callable[[], Any]] = {
        'inference': lambda: api.inference([image]), 'network': network,
        'preprocess': lambda: api.input_processor(
            [image], None, None, 504, 'upper_bound_resize')}
    pipe.send(f'upstream on {device} in {torch.get_num_threads()} threads')
    while step := pipe.recv():
        if step.startswith('depth '):
            found = steps[step.split()[1]]().depth
            if isinstance(found, torch.Tensor):
                found = found.float().cpu().numpy()
            pipe.send(np.asarray(found, np.float32).reshape(found.shape[-2:]))
        else:
            pipe.send(once(steps[step]))


if __name__ == '__main__':
    main()
