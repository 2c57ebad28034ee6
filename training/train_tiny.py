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
Train da3-tiny from nothing on ray-cast rooms: ``python training/train_tiny.py``.

Rooms are rendered by worker processes while the network trains. The run can be stopped at any
time and goes on from its last checkpoint; ``--steps`` may be changed in between, because the
learning rate is constant until the last part of the run.
"""

from __future__ import annotations

import argparse
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
import multiprocessing
from pathlib import Path
import time
from typing import Iterator

from network import Average, fresh_network, log_depth, loss_of, MEAN, save_model, STD
import numpy as np
from samples import make_samples, PROCESS_RES, quiet_worker, Samples
import torch

SEED = 20
SMALL_SIDE = 112
# New pictures in a step, at the small and at the full size; as many old ones join them.
NEW_SMALL, NEW_FULL = 16, 8
WARM_UP = 300
DECAY_PART = 0.3
KEPT = 800


def plan(step: int, small_steps: int) -> tuple[int, bool, int]:
    """Return how many new pictures a step shows, whether in 16:9, and their longest side."""
    wide = bool(np.random.default_rng((1, step)).random() < 0.25)
    small = step < small_steps
    return (NEW_SMALL, wide, SMALL_SIDE) if small else (NEW_FULL, wide, PROCESS_RES)


def stream(
    pool: ProcessPoolExecutor, start: int, stop: int, small_steps: int,
) -> Iterator[tuple[int, Samples]]:
    """Yield the new samples of every step in order, a few steps ahead of their use."""
    ahead: deque[tuple[int, Future[Samples]]] = deque()
    following = start
    while following < stop or ahead:
        while following < stop and len(ahead) < 8:
            work = pool.submit(make_samples, following, *plan(following, small_steps))
            ahead.append((following, work))
            following += 1
        step, work = ahead.popleft()
        yield step, work.result()


class Memory:
    """The last samples of each size, to be shown again under another light."""

    def __init__(self) -> None:
        """Start empty."""
        self._kept: dict[tuple[int, ...], deque[Samples]] = {}

    def mixed(self, new: Samples, rng: np.random.Generator) -> Samples:
        """Return the new samples with as many old ones of the same size, and keep the new."""
        kept = self._kept.setdefault(new.rgb.shape, deque(maxlen=KEPT))
        kept.append(new)
        parts = [new]
        for _ in range(2):
            old = kept[int(rng.integers(len(kept)))]
            chosen = rng.permutation(len(old.rgb))[:len(new.rgb) // 2]
            parts.append(Samples(old.rgb[chosen], old.log_depth[chosen], old.mirrored[chosen]))
        return Samples(*(np.concatenate([getattr(part, name) for part in parts])
                         for name in ('rgb', 'log_depth', 'mirrored')))


def augmented(samples: Samples, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Return normalised images under another exposure, colour and noise, and their targets."""
    count = len(samples.rgb)
    images = torch.from_numpy(samples.rgb).permute(0, 3, 1, 2).float().div_(255)
    targets = torch.from_numpy(samples.log_depth)
    mirror = torch.from_numpy(samples.mirrored & (rng.random(count) < 0.5))
    images[mirror], targets = images[mirror].flip(-1), targets.clone()
    targets[mirror] = targets[mirror].flip(-1)

    def draw(low: float, high: float, channels: int = 1) -> torch.Tensor:
        values = rng.uniform(low, high, (count, channels, 1, 1))
        return torch.from_numpy(values.astype(np.float32))

    images = images.clamp_min(1e-3).pow(draw(0.7, 1.4)) * draw(0.65, 1.35) * draw(0.9, 1.1, 3)
    images = images + draw(0.0, 0.03) * torch.randn(images.shape)
    return (images.clamp_(0, 1) - MEAN) / STD, targets


def rate(step: int, steps: int, peak: float) -> float:
    """Return the learning rate: warm-up, constant, then straight down to almost nothing."""
    remaining = (steps - step) / (DECAY_PART * steps)
    return peak * max(0.01, min((step + 1) / WARM_UP, 1.0, remaining))


def main() -> None:
    """Train, and write the model whenever a checkpoint is due."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work', type=Path, default=Path('build/da3-tiny'),
                        help='folder of checkpoints and the trained model')
    parser.add_argument('--steps', type=int, default=5000)
    parser.add_argument('--small-steps', type=int, default=2500,
                        help=f'first steps, at {SMALL_SIDE} pixels instead of {PROCESS_RES}')
    parser.add_argument('--rate', type=float, default=1e-3)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--workers', type=int, default=1)
    parser.add_argument('--full-precision', action='store_true', help='no bfloat16')
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    net = fresh_network(SEED)
    average = Average(net)
    decayed = [value for value in net.parameters() if value.ndim > 1]
    plain = [value for value in net.parameters() if value.ndim <= 1]
    optimiser = torch.optim.AdamW([{'params': decayed, 'weight_decay': 0.03},
                                   {'params': plain, 'weight_decay': 0.0}], betas=(0.9, 0.98))
    checkpoint, first = arguments.work / 'checkpoint.pt', 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        net.load_state_dict(state['net'])
        average.net.load_state_dict(state['average'])
        optimiser.load_state_dict(state['optimiser'])
        first = int(state['step'])

    def save(step: int) -> None:
        arguments.work.mkdir(parents=True, exist_ok=True)
        partial = checkpoint.with_suffix('.part')
        torch.save({'net': net.state_dict(), 'average': average.net.state_dict(),
                    'optimiser': optimiser.state_dict(), 'step': step}, partial)
        partial.replace(checkpoint)
        save_model(average.net, arguments.work)

    memory, started, shown = Memory(), time.monotonic(), 0.0
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(arguments.workers, context, quiet_worker) as pool:
        for step, new in stream(pool, first, arguments.steps, arguments.small_steps):
            rng = np.random.default_rng((2, step))
            torch.manual_seed(step)
            images, targets = augmented(memory.mixed(new, rng), rng)
            for group in optimiser.param_groups:
                group['lr'] = rate(step, arguments.steps, arguments.rate)
            with torch.autocast('cpu', torch.bfloat16, not arguments.full_precision):
                prediction = log_depth(net, images)
            loss = loss_of(prediction, targets)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            average.update(net, step)
            shown += (prediction - targets).abs().mean().item()
            if (step + 1) % 20 == 0:
                seconds = (time.monotonic() - started) / (step + 1 - first)
                print(f'step {step + 1} of {arguments.steps}: mean log error {shown / 20:.4f}, '
                      f'{seconds:.2f} s a step', flush=True)
                shown = 0.0
            if (step + 1) % 100 == 0:
                save(step + 1)
    save(arguments.steps)


if __name__ == '__main__':
    main()
