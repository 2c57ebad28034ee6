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
The compiled passes over whole images, ``native/*.c``, and what they are given.

They are optional: without them numpy and OpenCV do the same in more passes, and it is said.
"""

from __future__ import annotations

import ctypes
from ctypes import c_float, c_int, c_int32, c_int64, c_void_p, POINTER
from functools import lru_cache
import logging
from pathlib import Path
import sys
from typing import Any, Sequence

import numpy as np
import numpy.typing as npt

logger = logging.getLogger(__name__)

LIBRARY = 'depth_anything_ros/native/libframe_kernels.so'
"""Where the three ways to install put it, below a folder that Python imports from."""

VERSION = 3
"""What ``frame_kernels_version`` must say: that of the structures and signatures below."""


class BytesAxis(ctypes.Structure):
    """``struct bytes_axis`` of the C source."""

    _fields_ = [('count', c_int32), ('low', c_void_p), ('high', c_void_p),
                ('low_weight', c_void_p), ('high_weight', c_void_p)]


class AreaAxis(ctypes.Structure):
    """``struct area_axis`` of the C source."""

    _fields_ = [('count', c_int32), ('taps', c_int32), ('first', c_void_p),
                ('weights', c_void_p)]


class DepthAxis(ctypes.Structure):
    """``struct depth_axis`` of the C source."""

    _fields_ = [('count', c_int32), ('low', c_void_p), ('high', c_void_p), ('weight', c_void_p)]


class Law(ctypes.Structure):
    """``struct law`` of the C source: depth = network * factor, valid where it is in between."""

    _fields_ = [('factor', c_float), ('minimum', c_float), ('maximum', c_float),
                ('sky_threshold', c_float), ('edge_ratio', c_float)]


class CloudSource(ctypes.Structure):
    """``struct cloud_source`` of the C source."""

    _fields_ = [('depth', c_void_p), ('width', c_int32), ('height', c_int32), ('rgb', c_void_p),
                ('across', c_int64), ('down', c_int64), ('rays_x', c_void_p),
                ('rays_y', c_void_p), ('placement', c_void_p)]


class GridOfScan(ctypes.Structure):
    """``struct scan_grid`` of the C source."""

    _fields_ = [('count', c_int64), ('beams', c_int32), ('beam', c_void_p), ('reach', c_void_p),
                ('rise', c_void_p)]


class ScanLimits(ctypes.Structure):
    """``struct scan_limits`` of the C source, in metres."""

    _fields_ = [('camera_height', c_float), ('lowest', c_float), ('highest', c_float),
                ('nearest', c_float), ('farthest', c_float)]


SIGNATURES: dict[str, Sequence[Any]] = {
    'frame_prepare': (
        c_void_p, c_int32, c_int32, c_int64, POINTER(BytesAxis), POINTER(BytesAxis), c_void_p,
        c_void_p, c_void_p, c_void_p),
    'frame_prepare_areas': (
        c_void_p, c_int32, c_int64, POINTER(AreaAxis), POINTER(AreaAxis), c_int32, c_void_p,
        c_void_p, c_void_p),
    'frame_cloud': (
        c_void_p, c_void_p, c_int64, c_void_p, c_void_p, c_int32, c_int32, c_void_p),
    'frame_finish': (
        c_void_p, c_void_p, c_int32, POINTER(Law), POINTER(DepthAxis), POINTER(DepthAxis),
        c_void_p, c_int64, c_void_p, c_void_p, c_void_p, c_void_p),
    'points_count': (c_void_p, c_int64),
    'points_write': (POINTER(CloudSource), c_int32, c_void_p),
    'scan_ranges': (
        c_void_p, c_void_p, POINTER(GridOfScan), POINTER(ScanLimits), c_void_p),
}

COUNTING = ('points_count', 'points_write')
"""Those that return a number of points; the others return 0, or less where memory is missing."""


class Kernels:
    """The functions of a loaded library; each raises MemoryError where there is no memory."""

    def __init__(self, path: Path) -> None:
        """
        Load a library.

        :raises OSError: when it cannot be loaded, or is of another version than this file.
        """
        library = ctypes.CDLL(str(path))
        version = getattr(library, 'frame_kernels_version', lambda: 0)()
        if version != VERSION:
            raise OSError(f'{path} is of version {version}; needed: {VERSION} (install again)')
        for name, kinds in SIGNATURES.items():
            function = getattr(library, name)
            function.argtypes = kinds
            if name in COUNTING:
                function.restype = c_int64
            else:
                function.restype, function.errcheck = c_int, _checked
        library.frame_cloud.restype = None
        self.path = path
        self.prepare = library.frame_prepare
        self.prepare_areas = library.frame_prepare_areas
        self.cloud = library.frame_cloud
        self.finish = library.frame_finish
        self.count_points = library.points_count
        self.write_points = library.points_write
        self.scan = library.scan_ranges


def _checked(status: int, function: Any, arguments: tuple[Any, ...]) -> None:
    if status:  # None where there is nothing that can fail
        raise MemoryError(f'{function.__name__} found no memory for a row')


def folders() -> list[Path]:
    """Return where to look: beside this package, and where a source tree in front hides that."""
    return [Path(__file__).parents[2], *(Path(entry) for entry in sys.path)]


@lru_cache(maxsize=1)
def load() -> tuple[Kernels | None, str]:
    """Return the kernels, or None and why they cannot be used; that is logged once."""
    if sys.byteorder != 'little':
        problem = 'this processor is not little-endian'
    else:
        places = (folder / LIBRARY for folder in folders())
        found = next((place for place in places if place.is_file()), None)
        if found is not None:
            try:
                return Kernels(found), ''
            except (OSError, AttributeError) as error:
                problem = str(error)
        else:
            problem = 'they were not built: install again with a C compiler at hand'
    problem = f'the compiled frame path cannot be used, frames on the CPU take longer: {problem}'
    logger.warning('%s', problem)
    return None, problem


def address(values: npt.NDArray[Any], kind: type, shape: tuple[int, ...]) -> int:
    """
    Return where an array begins, after checking that a kernel may walk through it.

    :raises ValueError: when it has another type or shape, or gaps.
    """
    if values.dtype != kind or values.shape != shape or not values.flags.c_contiguous:
        raise ValueError(
            f'{values.dtype} {values.shape} with strides {values.strides}; needed: '
            f'{np.dtype(kind)} {shape} without gaps')
    return beginning(values)


def beginning(values: npt.NDArray[Any]) -> int:
    """Return where an array begins."""
    place: int = values.__array_interface__['data'][0]
    return place


def packed_rgb(rgb: npt.NDArray[np.uint8], shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """
    Return (H, W, 3) uint8 pixels as kernels read them: pixel after pixel, rows in order.

    :raises ValueError: when they are of another size.
    """
    if rgb.dtype != np.uint8 or rgb.shape != (*shape, 3):
        raise ValueError(f'{rgb.dtype} {rgb.shape}; needed: uint8 {(*shape, 3)}')
    if rgb.strides[1:] == (3, 1) and rgb.strides[0] >= 3 * shape[1]:
        return rgb
    return np.ascontiguousarray(rgb)
