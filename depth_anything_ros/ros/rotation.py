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
from typing import Any, Callable
import weakref

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[Any]

MOST = 4
"""Messages in rotation; where so many are held by readers, results get memory of their own."""


@dataclass
class _Slot:
    """A message, and the view of its memory that was given out last while anything holds that."""

    message: Any
    view: Callable[[], Pixels | None]


class Rotation:
    """
    Long-lived messages of one layout.

    Who gets memory from :meth:`place` owns it until the last array that looks into it is gone:
    the frame that is published, a result that somebody keeps. Only then is it given out again. So
    one message is filled while another is published, and none is ever changed under a reader.
    One thread may give out; anybody may hold.
    """

    def __init__(self, make: Callable[[tuple[int, ...], type], Any]) -> None:
        """
        Begin without messages.

        :param make: returns a message whose data has the size of an array of this shape and type.
        """
        self._make = make
        self._slots: list[_Slot] = []
        self._layout: tuple[tuple[int, ...], Any] | None = None

    def place(self, shape: tuple[int, ...], kind: type) -> Pixels | None:
        """Return memory of a message that nobody looks into, None where all are held."""
        if self._layout != (shape, np.dtype(kind)):
            self._slots, self._layout = [], (shape, np.dtype(kind))
        slot = next((each for each in self._slots if each.view() is None), None)
        if slot is None:
            if len(self._slots) == MOST:
                return None
            slot = _Slot(self._make(shape, kind), lambda: None)
            self._slots.append(slot)
        view: Pixels = np.frombuffer(slot.message.data, kind)
        # Arrays made from this one refer to it, not to what is below it.
        slot.view = weakref.ref(view)
        return view.reshape(shape)

    def message_of(self, values: Pixels) -> Any:
        """Return the message whose whole memory an array is, None for any other array."""
        base = values.base
        if base is None:
            return None
        for slot in self._slots:
            if slot.view() is base:
                # A part of it, or the same bytes in another order, is another picture.
                whole = values.flags.c_contiguous and self._layout == (values.shape, values.dtype)
                return slot.message if whole else None
        return None

    def filled(self, values: Pixels) -> Any:
        """Return a message with the bytes of an array, the one that has them already or a copy."""
        message = self.message_of(values)
        if message is not None:
            return message
        place = self.place(values.shape, values.dtype.type)
        if place is None:
            message = self._make(values.shape, values.dtype.type)
            place = np.frombuffer(message.data, values.dtype.type).reshape(values.shape)
        else:
            message = self.message_of(place)
        if values.dtype == np.float32:
            # As integers: a float copy may change the bits of a colour that looks like a NaN.
            values, place = values.view(np.uint32), place.view(np.uint32)
        np.copyto(place, values)
        return message


def zeroed(message: Any, shape: tuple[int, ...], kind: type) -> Any:
    """Return a new message after making its data as long as an array of this shape and type."""
    # frombytes on the message's own array: assigning to data copies, or walks every byte.
    message.data.frombytes(bytes(int(np.prod(shape)) * np.dtype(kind).itemsize))
    return message
