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

"""A network made faster as far as its depth stays what plain float32 says."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

from depth_anything_ros.engine.arithmetic import Arithmetic, arithmetic_of, PLAIN
from depth_anything_ros.engine.cures import channels_first, channels_last, lower_precision
from depth_anything_ros.engine.device import precision_name
from depth_anything_ros.engine.gate import failure, gate_images, objection
from depth_anything_ros.engine.passes import FrameNetwork, RawMaps
import torch

logger = logging.getLogger(__name__)


class Checked(NamedTuple):
    """
    What maps normalised images to :class:`RawMaps`, and what a user may want to know about it.

    ``warnings`` say what was wanted and is not done; ``about`` is one line for people.
    """

    network: Any
    precision: torch.dtype
    warnings: tuple[str, ...] = ()
    about: str = ''


def checked_network(
    network: torch.nn.Module, precision: torch.dtype, device: torch.device, *,
    cuda_like: bool,
) -> Checked:
    """
    Cure a network, in place, and make it as fast as its depth allows.

    On a fixed picture every faster form is compared with plain float32 on the same device: first
    channels last in memory with the wanted precision, then with float32. One that is too far off
    is not used, and said.

    :param network: upstream's DepthAnything3Net or NestedDepthAnything3Net, in float32.
    :param precision: wanted arithmetic of the backbone.
    :param device: where it is to run.
    :param cuda_like: whether the settings of :class:`Arithmetic` mean something there.
    """
    frames = FrameNetwork(network, plain=True).to(device)
    images = gate_images(1, device)
    reference = _run(frames, images, PLAIN, cuda_like)
    warnings: list[str] = []
    for wanted in dict.fromkeys((precision, torch.float32)):
        name = precision_name(wanted)
        channels_last(network)
        frames.precision = wanted
        try:
            found = _run(frames, images, arithmetic_of(wanted), cuda_like)
            bad, distance = objection(found, reference, wanted)
        except torch.cuda.OutOfMemoryError:
            raise
        except RuntimeError as error:
            bad = failure(error)
        if not bad:
            # As autocast did it in this check, but once for all frames.
            lower_precision(network, wanted)
            about = f'{name}, channels last: depth within {distance:.2g} of plain float32'
            logger.info('%s on %s', about, device)
            return Checked(frames, wanted, tuple(warnings), about)
        warnings.append(
            f'{name} with channels last is not used: compared with plain float32 on the check '
            f'picture, {bad}')
        logger.warning('%s', warnings[-1])
    channels_first(network)
    frames.precision = torch.float32
    return Checked(frames, torch.float32, tuple(warnings), 'plain float32')


@torch.inference_mode()
def _run(
    frames: FrameNetwork, images: torch.Tensor, arithmetic: Arithmetic, cuda_like: bool,
) -> RawMaps:
    if not cuda_like:
        maps: RawMaps = frames(images)
        return maps
    with arithmetic.inside():
        maps = frames(images)
    return maps
