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

"""PyTorch's compiler for the network, with a folder that outlives the process."""

from __future__ import annotations

from functools import partial
import os
from pathlib import Path

from depth_anything_ros.engine.fast_calls import Compiler
import torch

FOLDER = 'TORCHINDUCTOR_CACHE_DIR'
"""PyTorch's own environment variable; without it compiled code would lie in /tmp."""


def inductor() -> Compiler:
    """
    Return ``torch.compile`` for functions of one graph and fixed shapes.

    What was compiled once for a network, an image size and a device is found again at the next
    start, in ``$XDG_CACHE_HOME/depth_anything_ros/compiled``, or where PyTorch's own
    ``TORCHINDUCTOR_CACHE_DIR`` points.
    """
    home = Path(os.environ.get('XDG_CACHE_HOME') or '~/.cache').expanduser()
    os.environ.setdefault(FOLDER, str(home / 'depth_anything_ros' / 'compiled'))
    return partial(torch.compile, fullgraph=True, dynamic=False)
