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

"""TF32 and cuDNN's choices for one engine's work, without a trace in the rest of the process."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
import threading
from typing import Any, ContextManager, Iterator, NamedTuple

import torch


class Arithmetic(NamedTuple):
    """
    How a GPU computes in float32.

    ``convolutions`` may round what they multiply to TF32 (10 bits), matrix products never do;
    ``search`` lets cuDNN time its algorithms the first time it sees a shape.
    """

    convolutions: bool
    search: bool

    def inside(self) -> ContextManager[None]:
        """Compute so inside a block; the process has its own settings back afterwards."""
        return _sharing.of(self)


PLAIN = Arithmetic(convolutions=False, search=False)
"""Float32 as it is written down, what everything faster is compared with."""


def arithmetic_of(precision: torch.dtype) -> Arithmetic:
    """
    Return what suits a backbone's precision: with float32 nothing is rounded to less.

    :param precision: arithmetic of the backbone.
    """
    return Arithmetic(convolutions=precision is not torch.float32, search=True)


def untouched() -> ContextManager[None]:
    """Return a block that changes nothing, for a CPU."""
    return nullcontext()


class _Sharing:
    """
    Who computes how at this moment.

    PyTorch has these settings once per process. Blocks of the same arithmetic share them, another
    arithmetic waits until they are out; so what was there before is put back by whoever is last.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._now: Arithmetic | None = None
        self._inside = self._waiting = 0
        self._before: list[tuple[Any, str, Any]] = []

    @contextmanager
    def of(self, wanted: Arithmetic) -> Iterator[None]:
        with self._changed:
            self._waiting += 1
            try:
                # One that waits is not overtaken for ever by those who share.
                while self._inside and (self._now != wanted or self._waiting > 1):
                    self._changed.wait()
            finally:
                self._waiting -= 1
            if not self._inside:
                self._before = _changed(wanted)
                self._now = wanted
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                if not self._inside:
                    _restore(self._before)
                self._changed.notify_all()


_sharing = _Sharing()


class _Products:
    """The one setting of matrix products that PyTorch has as functions, not as an attribute."""

    @property
    def precision(self) -> str:
        return torch.get_float32_matmul_precision()

    @precision.setter
    def precision(self, value: str) -> None:
        torch.set_float32_matmul_precision(value)


def _settings() -> list[tuple[Any, str]]:
    """Return where TF32 is set, owner and attribute: by the older interface before the newer."""
    backends: Any = torch.backends
    older = [(backends.cudnn, 'allow_tf32'), (backends.cuda.matmul, 'allow_tf32'),
             (_Products(), 'precision')]
    if not hasattr(backends.cudnn, 'conv'):  # before PyTorch 2.9
        return older
    parts = backends.cudnn.conv, backends.cudnn.rnn, backends.cuda.matmul, backends.mkldnn.matmul
    return older + [(part, 'fp32_precision') for part in parts]


def _read() -> list[tuple[Any, str, Any]]:
    found = []
    for owner, name in _settings():
        try:
            found.append((owner, name, getattr(owner, name)))
        except RuntimeError:
            # Whoever uses the newer interface cannot be asked by the older.
            continue
    return found


def _changed(wanted: Arithmetic) -> list[tuple[Any, str, Any]]:
    """Set what is wanted, and return what was there before; little is to be done per frame."""
    backends: Any = torch.backends
    before = []
    if backends.cudnn.benchmark != wanted.search:
        before.append((backends.cudnn, 'benchmark', backends.cudnn.benchmark))
        backends.cudnn.benchmark = wanted.search
    try:
        if (backends.cudnn.allow_tf32, backends.cuda.matmul.allow_tf32) == (
                wanted.convolutions, False):
            return before
    except RuntimeError:
        pass  # set by the newer interface
    # Each of these changes some of the others.
    before += _read()
    for older, owner, newer, tf32 in (
            (backends.cudnn, backends.cudnn, 'conv', wanted.convolutions),
            (backends.cuda.matmul, backends.cuda, 'matmul', False)):
        try:
            if older.allow_tf32 != tf32:
                older.allow_tf32 = tf32
        except RuntimeError:
            getattr(owner, newer).fp32_precision = 'tf32' if tf32 else 'ieee'
    return before


def _restore(before: list[tuple[Any, str, Any]]) -> None:
    for owner, name, value in before:
        try:
            same = getattr(owner, name) == value
        except RuntimeError:
            same = False
        if not same:
            setattr(owner, name, value)
