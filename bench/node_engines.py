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

"""The networks of ``bench.node``: of a constant time, or real; for our node and the usual one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
import time
from typing import Any, Callable

import numpy as np
import numpy.typing as npt

SEED = 3
"""Of the random weights of a model whose own are not here: depth without meaning, same time."""

METRIC = ('depth/image', 'depth/camera_info', 'depth/points')
RELATIVE = ('depth/relative', 'depth/camera_info')


@dataclass(frozen=True)
class Network:
    """A network: ``delay`` seconds of a constant answer, or where ``model`` is given that."""

    name: str
    delay: float = 0.0
    model: str = ''
    weights: int | None = None
    """Seed of random weights; None: the model's own, which come with the package."""

    @property
    def topics(self) -> tuple[str, ...]:
        """Return what a node has to publish; without a unit there is no cloud."""
        return RELATIVE if self.model == 'da3-small' else METRIC


def constant(milliseconds: float) -> Network:
    """Return a network that takes so long."""
    return Network(f'{milliseconds:g} ms', milliseconds / 1e3)


NETWORKS = (
    constant(0), constant(10), constant(25), Network('da3-tiny', model='da3-tiny'),
    Network('da3-small', model='da3-small', weights=SEED))


def constant_engine(seconds: float, device: Any = None) -> Any:
    """
    Return our engine with a network that takes so long and always sees the same.

    :param seconds: what a call takes.
    :param device: a lock that is held meanwhile, by whoever shares the device; None: nobody does.
    """
    from contextlib import nullcontext

    from depth_anything_ros.engine.base import Inferred
    from depth_anything_ros.engine.da3 import Answer, DA3Engine
    from depth_anything_ros.engine.models import find
    from depth_anything_ros.engine.passes import RawMaps
    from depth_anything_ros.engine.streams import Mark
    from depth_anything_ros.engine.tiny import build_tiny
    import torch

    @lru_cache
    def ready(height: int, width: int) -> Any:
        depth = torch.linspace(0.6, 5.0, width).expand(height, width).contiguous()
        return RawMaps(depth, sky=torch.zeros_like(depth))

    class Constant(DA3Engine):
        """Everything is the real engine's but the forward pass; its answers are ready."""

        def infer(self, batch: Any) -> Any:
            with device or nullcontext():
                start = time.perf_counter()
                mark, maps = Mark(torch.device('cpu')), ready(*batch[0].shape)
                rest = seconds - (time.perf_counter() - start)
                if rest > 0:  # sleeping for no time takes a tenth of a millisecond
                    time.sleep(rest)
                took = time.perf_counter() - start
            return [Inferred(item, Answer(maps, mark, mark, took)) for item in batch]

    return Constant(build_tiny(), find('da3metric-large'))


def engine_of(network: Network) -> Any:
    """Return our engine with a network."""
    if not network.model:
        return constant_engine(network.delay)
    from depth_anything_ros.engine.da3 import DA3Engine
    return DA3Engine.load(network.model, device='cpu', random_weights=network.weights)


def process_res(network: Network) -> int:
    """Return the longest side that a network looks at."""
    from depth_anything_ros.engine.models import find
    return find(network.model or 'da3metric-large').process_res


def called(network: Network) -> Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]:
    """Return upstream's network as a function of (1, 3, h, w) that returns depth (h, w)."""
    if not network.model:
        @lru_cache
        def depth(height: int, width: int) -> npt.NDArray[np.float32]:
            return np.tile(np.linspace(0.6, 5.0, width, dtype=np.float32), (height, 1))

        def wait(batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            if network.delay:
                time.sleep(network.delay)
            return depth(*batch.shape[2:])
        return wait
    from depth_anything_ros.engine.loading import load_network
    import torch
    module = load_network(
        network.model, 'cpu', 'fp32', random_weights=network.weights).network.eval()

    def call(batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            found = module(torch.from_numpy(batch)[None], None, None, [], False, False)
        return np.asarray(found['depth'].numpy().reshape(batch.shape[2:]), np.float32)
    return call
