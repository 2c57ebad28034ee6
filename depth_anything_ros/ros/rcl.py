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
Serialized messages in memory of our own, or of the middleware: what rcl has and rclpy has not.

rclpy hands serialized messages over as ``bytes``, which nobody can write into, and copies them
while no other thread can run. rosbag2 plays and records by these two functions.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any
import weakref

from rclpy.impl.implementation_singleton import rclpy_implementation

TAKE_FAILED = 401
"""``RCL_RET_SUBSCRIPTION_TAKE_FAILED``: there is no message."""


class Allocator(ctypes.Structure):
    """``rcutils_allocator_t``."""

    _fields_ = tuple((name, ctypes.c_void_p) for name in (
        'allocate', 'deallocate', 'reallocate', 'zero_allocate', 'state'))


class Span(ctypes.Structure):
    """``rcutils_uint8_array_t``: memory, which only its allocator may make longer or free."""

    _fields_ = (('buffer', ctypes.c_void_p), ('length', ctypes.c_size_t),
                ('capacity', ctypes.c_size_t), ('allocator', Allocator))


@cache
def library() -> Any:
    """
    Return the functions of rcl.

    :raises OSError: when they cannot be had.
    :raises AttributeError: when there is none of a name.
    """
    # What rclpy was linked with is found through it, wherever it is installed.
    found = ctypes.CDLL(rclpy_implementation.__file__)
    pointer, span = ctypes.c_void_p, ctypes.POINTER(Span)
    found.rcl_publish_serialized_message.argtypes = [pointer, span, pointer]
    found.rcl_take_serialized_message.argtypes = [pointer, span, pointer, pointer]
    found.rcutils_uint8_array_fini.argtypes = [span]
    found.rcutils_get_default_allocator.restype = Allocator
    found.rcutils_reset_error.restype = None
    return found


def publish_serialized(publisher: Any, span: Span) -> bool:
    """
    Publish a serialized message, while other threads run; return whether that was done.

    :param publisher: an rclpy publisher.
    :param span: where the message is.
    """
    handle = publisher.handle
    with handle:
        code = library().rcl_publish_serialized_message(handle.pointer, span, None)
    if code:
        library().rcutils_reset_error()
    return not code


def take_serialized(subscription: Any) -> memoryview | None:
    """
    Return the next message in memory of its own, None where there is none.

    The memory is freed when nobody looks into it any more. Other threads run meanwhile.

    :param subscription: an rclpy subscription.
    :raises RuntimeError: when the middleware fails.
    """
    rcl = library()
    span = Span(allocator=rcl.rcutils_get_default_allocator())
    handle = subscription.handle
    with handle:
        code = rcl.rcl_take_serialized_message(handle.pointer, span, None, None)
    if code or not span.length:
        rcl.rcutils_uint8_array_fini(span)
        if code not in (0, TAKE_FAILED):
            rcl.rcutils_reset_error()
            raise RuntimeError(f'rcl_take_serialized_message returned {code}')
        return None
    memory = (ctypes.c_uint8 * span.length).from_address(span.buffer)
    weakref.finalize(memory, rcl.rcutils_uint8_array_fini, span).atexit = False
    return memoryview(memory).cast('B')
