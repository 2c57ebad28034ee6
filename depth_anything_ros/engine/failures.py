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

from contextlib import contextmanager
import logging
from typing import Iterator

from depth_anything_ros.errors import InferenceFailed, OutOfMemory
import torch

logger = logging.getLogger(__name__)

CPU_OUT_OF_MEMORY = ("can't allocate memory", 'not enough memory')
"""PyTorch has no class of its own for the host's memory; its allocator says one of these."""


@contextmanager
def translated(what: str) -> Iterator[None]:
    """
    Turn what PyTorch raises inside into our errors.

    :param what: what is being done, such as 'the network on 1 image of 504x378'.
    :raises OutOfMemory: when the device's memory, or the host's, is used up.
    :raises InferenceFailed: when PyTorch fails in any other way; the log has its own words.
    """
    try:
        yield
    except (torch.cuda.OutOfMemoryError, MemoryError) as error:
        raise OutOfMemory(f'too little memory for {what}; a smaller process_res needs less') \
            from error
    except RuntimeError as error:
        if any(sign in str(error) for sign in CPU_OUT_OF_MEMORY):
            raise OutOfMemory(f'too little memory for {what}; a smaller process_res needs less') \
                from error
        logger.exception('%s failed', what)
        raise InferenceFailed(f'{what} failed; the log has the details') from error
