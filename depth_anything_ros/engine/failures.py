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

"""PyTorch's errors as ours."""

from __future__ import annotations

import logging

from depth_anything_ros.errors import InferenceFailed, OutOfMemory
import torch

logger = logging.getLogger(__name__)

CPU_OUT_OF_MEMORY = ("can't allocate memory", 'not enough memory')
"""PyTorch has no class of its own for the host's memory; its allocator says one of these."""


class Translated:
    """Turns what PyTorch raises inside into our errors; see :func:`translated`."""

    __slots__ = ('_what',)

    def __init__(self, what: str) -> None:
        """Keep what is being done."""
        self._what = what

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: object,
    ) -> None:
        """Raise the error of ours that stands for this one, if there is any."""
        if error is None:
            return
        what = self._what
        full = isinstance(error, (torch.cuda.OutOfMemoryError, MemoryError))
        if not (full or isinstance(error, RuntimeError)):
            return
        if full or any(sign in str(error) for sign in CPU_OUT_OF_MEMORY):
            raise OutOfMemory(f'too little memory for {what}; a smaller process_res needs less') \
                from error
        logger.error('%s failed', what, exc_info=error)
        raise InferenceFailed(f'{what} failed; the log has the details') from error


def translated(what: str) -> Translated:
    """
    Turn what PyTorch raises inside a block into our errors.

    :param what: what is being done, such as 'the network on 1 image of 504x378'.
    :raises OutOfMemory: when the device's memory, or the host's, is used up.
    :raises InferenceFailed: when PyTorch fails in any other way; the log has its own words.
    """
    # Not a generator: this is entered for every frame.
    return Translated(what)
