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

"""The topics that are written, and one result as serialised messages on them."""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Sequence

from depth_anything_ros.bags.library import (
    CAMERA_INFO,
    HEADER,
    IMAGE,
    POINT_CLOUD,
    POINT_FIELD,
    REGION,
    STORE,
    TIME,
)
from depth_anything_ros.bags.records import NANOSECONDS
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.options import Output
from depth_anything_ros.core.pointcloud import POINT_STEP
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import ConfigError
import numpy as np
import numpy.typing as npt

DEPTH, RELATIVE, INFO = 'depth/image', 'depth/relative', 'depth/camera_info'
POINTS, PREVIEW = 'depth/points', 'depth/preview'

TYPES = {DEPTH: IMAGE, RELATIVE: IMAGE, INFO: CAMERA_INFO, POINTS: POINT_CLOUD, PREVIEW: IMAGE}
"""Type of every topic that can be written, in the order in which a frame's are."""

FLOAT32 = 7
"""``PointField.FLOAT32``."""


def check_known(wanted: Sequence[str]) -> None:
    """
    Refuse names that no model fills.

    :raises ConfigError: when a name is not one of ``TYPES``.
    """
    for name in wanted:
        if name not in TYPES:
            raise ConfigError(f'unknown topic {name!r}; accepted: {", ".join(TYPES)}')


def choose_outputs(wanted: Sequence[str], kind: DepthKind) -> tuple[str, ...]:
    """
    Return the topics to write, in the order of ``TYPES``.

    :param wanted: names of topics; empty for all that the model can fill.
    :param kind: what the model's depth means: one without a unit fills ``depth/relative`` in
        place of ``depth/image`` and ``depth/points``.
    :raises ConfigError: when a name is unknown or the model cannot fill it.
    """
    impossible = {DEPTH, POINTS} if kind is DepthKind.RELATIVE else {RELATIVE}
    possible = tuple(name for name in TYPES if name not in impossible)
    check_known(wanted)
    for name in wanted:
        if name in impossible:
            raise ConfigError(
                f'{name} cannot be filled: the depth of this model is {kind.value}; accepted: '
                + ', '.join(possible))
    return tuple(name for name in possible if not wanted or name in wanted)


def asked_for(topics: Sequence[str]) -> frozenset[Output]:
    """Return what has to be computed for these topics."""
    extra = {POINTS: Output.POINTS, PREVIEW: Output.PREVIEW}
    return frozenset({Output.DEPTH, *(extra[name] for name in topics if name in extra)})


def serialised(result: DepthResult, topics: Sequence[str]) -> Iterator[tuple[str, memoryview]]:
    """
    Return the messages of a result on those topics for which it has something.

    They are what the node publishes, field by field, with the header of the input image.

    :param result: depth of one frame.
    :param topics: names from ``TYPES``.
    :returns: (topic, CDR bytes) in the order of ``topics``.
    """
    header = header_of(result)
    for name in topics:
        message: Any = None
        if name in (DEPTH, RELATIVE):
            message = image_of(header, '32FC1', result.depth)
        elif name == INFO and result.intrinsics is not None:
            message = camera_info_of(header, result.intrinsics)
        elif name == POINTS and result.cloud is not None:
            message = cloud_of(header, result.cloud)
        elif name == PREVIEW and result.preview is not None:
            message = image_of(header, 'rgb8', result.preview)
        if message is not None:
            yield name, STORE.serialize_cdr(message, TYPES[name])


def header_of(result: DepthResult) -> Any:
    """Return the header that the result's image had."""
    seconds, nanoseconds = divmod(result.frame.stamp_ns, NANOSECONDS)
    stamp = _make(TIME, sec=seconds, nanosec=nanoseconds)
    return _make(HEADER, stamp=stamp, frame_id=result.frame.frame_id)


def image_of(header: Any, encoding: str, pixels: npt.NDArray[Any]) -> Any:
    """Return an Image of (H, W) or (H, W, C) pixels in little-endian order."""
    height, width = pixels.shape[:2]
    return _make(
        IMAGE, header=header, height=height, width=width, encoding=encoding, is_bigendian=0,
        step=pixels.nbytes // height, data=_bytes(pixels))


def camera_info_of(header: Any, camera: Intrinsics) -> Any:
    """Return a CameraInfo without distortion; K and P say the same, P has no baseline."""
    fx, fy, cx, cy = camera.fx, camera.fy, camera.cx, camera.cy
    return _make(
        CAMERA_INFO, header=header, height=camera.height, width=camera.width,
        distortion_model='plumb_bob', d=np.zeros(5),
        k=np.array([fx, 0, cx, 0, fy, cy, 0, 0, 1], np.float64), r=np.eye(3).reshape(9),
        p=np.array([fx, 0, cx, 0, 0, fy, cy, 0, 0, 0, 1, 0], np.float64),
        binning_x=0, binning_y=0,
        roi=_make(REGION, x_offset=0, y_offset=0, height=0, width=0, do_rectify=False))


def cloud_of(header: Any, cloud: npt.NDArray[np.float32]) -> Any:
    """Return an organised XYZRGB PointCloud2 of (H, W, 4) float32; NaN where there is no point."""
    height, width = cloud.shape[:2]
    fields = [
        _make(POINT_FIELD, name=name, offset=4 * index, datatype=FLOAT32, count=1)
        for index, name in enumerate(('x', 'y', 'z', 'rgb'))]
    return _make(
        POINT_CLOUD, header=header, height=height, width=width, fields=fields,
        is_bigendian=False, point_step=POINT_STEP, row_step=POINT_STEP * width,
        data=_bytes(cloud), is_dense=False)


def _make(kind: str, /, **fields: Any) -> Any:
    kinds: Mapping[str, Any] = STORE.types
    return kinds[kind](**fields)


def _bytes(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    little = values.astype(values.dtype.newbyteorder('<'), copy=False)
    return np.ascontiguousarray(little).reshape(-1).view(np.uint8)
