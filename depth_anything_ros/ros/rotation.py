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

"""Messages that results are written into, and that are used again when nobody reads them."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Any, Callable
import weakref

from depth_anything_ros.ros.carriers import Carrier
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[Any]

MOST = 4
"""Messages in rotation; where so many are held by readers, results get memory of their own."""


@dataclass
class _Slot:
    """A message, what its memory holds, and the view of it that was given out last."""

    carrier: Carrier
    shape: tuple[int, ...] = ()
    kind: Any = None
    dtype: Any = None
    view: Callable[[], Pixels | None] = lambda: None


class Rotation:
    """
    Long-lived messages of one kind.

    Who gets memory from :meth:`place` owns it until the last array that looks into it is gone:
    the frame that is published, a result that somebody keeps. Only then is it given out again,
    made longer or shorter where another size is asked for. So one message is filled while another
    is published, and none is ever changed under a reader. One thread may give out; anybody may
    hold.
    """

    def __init__(
        self, make: Callable[[], Carrier], describe: Callable[[Any, tuple[int, ...], type], None],
    ) -> None:
        """
        Begin without messages.

        :param make: returns a message without data.
        :param describe: writes into a message, but for its data, what an array of this shape and
            type means there.
        """
        self._make = make
        self._describe = describe
        self._slots: list[_Slot] = []
        self._copied: Pixels | None = None

    def place(self, shape: tuple[int, ...], kind: type) -> Pixels | None:
        """
        Return memory of a message that nobody looks into.

        :returns: None where all are held, and for an array without values.
        """
        slot = next((each for each in self._slots if each.view() is None), None)
        if slot is None:
            if len(self._slots) == MOST:
                return None
            slot = _Slot(self._make())
            self._slots.append(slot)
        if slot.shape != shape or slot.kind is not kind:
            if 0 in shape:
                return None
            self._fit(slot, shape, kind)
        view: Pixels = np.frombuffer(slot.carrier.data, kind)
        # Arrays made from this one refer to it, not to what is below it.
        slot.view = weakref.ref(view)
        return view.reshape(shape)

    def _fit(self, slot: _Slot, shape: tuple[int, ...], kind: type) -> None:
        size = math.prod(shape) * np.dtype(kind).itemsize
        try:
            slot.carrier.resize(size)
        except BufferError:  # somebody took the message and not the view, and looks into it
            slot.carrier = self._make()
            slot.carrier.resize(size)
        self._describe(slot.carrier.message, shape, kind)
        slot.shape, slot.kind, slot.dtype = shape, kind, np.dtype(kind)

    def carrier_of(self, values: Pixels) -> Carrier | None:
        """Return the message whose whole memory an array is, None for any other array."""
        base = values.base
        if base is None:
            return None
        for slot in self._slots:
            if slot.view() is base:
                # A part of it, or the same bytes in another order, is another picture.
                whole = values.shape == slot.shape and values.dtype == slot.dtype \
                    and values.flags.c_contiguous
                return slot.carrier if whole else None
        return None

    def copied(self, values: Pixels) -> Any:
        """Return a message with the bytes of an array; valid until the next call."""
        # Held, so that nobody writes into it while it is published.
        self._copied = None
        self._copied = place = self.place(values.shape, values.dtype.type)
        if place is None:
            slot = _Slot(self._make())
            self._fit(slot, values.shape, values.dtype.type)
            carrier: Any = slot.carrier
            place = np.frombuffer(carrier.data, values.dtype.type).reshape(values.shape) \
                if values.size else values
        else:
            carrier = self.carrier_of(place)
        if values.dtype == np.float32:
            # As integers: a float copy may change the bits of a colour that looks like a NaN.
            values, place = values.view(np.uint32), place.view(np.uint32)
        np.copyto(place, values)
        return carrier
