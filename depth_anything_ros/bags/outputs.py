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

from dataclasses import dataclass
from typing import Any, Callable, Iterator, Mapping, Sequence

from depth_anything_ros.bags.library import (
    CAMERA_INFO,
    HEADER,
    IMAGE,
    LASER_SCAN,
    POINT_CLOUD,
    POINT_FIELD,
    REGION,
    STORE,
    TIME,
)
from depth_anything_ros.bags.records import NANOSECONDS
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind, millimetres
from depth_anything_ros.core.options import Output
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.core.scan import Scan
from depth_anything_ros.errors import ConfigError
from depth_anything_ros.service import EngineInfo
import numpy as np
import numpy.typing as npt

FLOAT32 = 7
"""``PointField.FLOAT32``."""


@dataclass(frozen=True)
class Topic:
    """
    One thing that can be written: the node's topic of that name.

    ``output`` is what the engine must compute for it, ``message`` makes a message of the header of
    the image and the result (None: there is nothing), ``usual`` says whether it is written unless
    topics are named, ``offered`` whether a model fills it.
    """

    name: str
    kind: str
    output: Output
    message: Callable[[Any, DepthResult], Any]
    usual: bool = False
    offered: Callable[[EngineInfo], bool] = lambda info: True


def is_metric(info: EngineInfo) -> bool:
    """Return whether the depth of a model has a unit."""
    return info.kind is not DepthKind.RELATIVE


def image_topic(
    name: str, output: Output, encoding: str, pixels: Callable[[DepthResult], Any],
    offered: Callable[[EngineInfo], bool] = lambda info: True, *, usual: bool = False,
) -> Topic:
    """Return a topic of images; ``pixels`` takes them from a result, None where it has none."""
    def message(header: Any, result: DepthResult) -> Any:
        found = pixels(result)
        return None if found is None else image_of(header, encoding, found)
    return Topic(name, IMAGE, output, message, usual, offered)


def info_topic(
    name: str, output: Output, camera: Callable[[DepthResult], Intrinsics | None],
    offered: Callable[[EngineInfo], bool] = lambda info: True, *, usual: bool = False,
) -> Topic:
    """Return a topic of CameraInfo; ``camera`` takes it from a result."""
    def message(header: Any, result: DepthResult) -> Any:
        found = camera(result)
        return None if found is None else camera_info_of(header, found)
    return Topic(name, CAMERA_INFO, output, message, usual, offered)


TOPICS = {topic.name: topic for topic in (
    image_topic('depth/image', Output.DEPTH, '32FC1', lambda result: result.depth, is_metric,
                usual=True),
    image_topic('depth/relative', Output.DEPTH, '32FC1', lambda result: result.depth,
                lambda info: not is_metric(info), usual=True),
    info_topic('depth/camera_info', Output.DEPTH, lambda result: result.intrinsics, usual=True),
    Topic('depth/points', POINT_CLOUD, Output.POINTS,
          lambda header, result: None if result.cloud is None else cloud_of(header, result.cloud),
          True, is_metric),
    image_topic('depth/preview', Output.PREVIEW, 'rgb8', lambda result: result.preview,
                usual=True),
    image_topic('depth/image_raw', Output.DEPTH, '16UC1',
                lambda result: millimetres(result.depth), is_metric),
    Topic('depth/scan', LASER_SCAN, Output.SCAN,
          lambda header, result: None if result.scan is None else scan_of(header, result.scan),
          False, is_metric),
    image_topic('color/image', Output.DEPTH, 'rgb8', lambda result: result.color),
    info_topic('color/camera_info', Output.DEPTH, lambda result: result.intrinsics),
    image_topic('confidence/image', Output.CONFIDENCE, '32FC1', lambda result: result.confidence,
                lambda info: info.has_confidence),
    image_topic('sky/mask', Output.SKY, 'mono8',
                lambda result: None if result.sky is None else result.sky.astype(np.uint8) * 255,
                lambda info: info.has_sky),
    info_topic('camera_info/estimated', Output.INTRINSICS, lambda result: result.estimated,
               lambda info: info.predicts_intrinsics),
)}
"""Every topic by name, in the order in which a frame's are written."""


def check_known(wanted: Sequence[str]) -> None:
    """
    Refuse names that no model fills.

    :raises ConfigError: when a name is not one of ``TOPICS``.
    """
    for name in wanted:
        if name not in TOPICS:
            raise ConfigError(f'unknown topic {name!r}; accepted: {", ".join(TOPICS)}')


def choose_outputs(wanted: Sequence[str], info: EngineInfo) -> tuple[str, ...]:
    """
    Return the topics to write, in the order of ``TOPICS``.

    :param wanted: names of topics; empty for the usual ones that the model can fill.
    :param info: what the model can give: one without a unit fills ``depth/relative`` in place of
        ``depth/image`` and ``depth/points``.
    :raises ConfigError: when a name is unknown or the model cannot fill it.
    """
    possible = [topic for topic in TOPICS.values() if topic.offered(info)]
    names = [topic.name for topic in possible]
    check_known(wanted)
    for name in wanted:
        if name not in names:
            raise ConfigError(
                f'{name} cannot be filled by {info.model} (its depth is {info.kind.value}); '
                f'accepted: {", ".join(names)}')
    return tuple(
        topic.name for topic in possible if topic.name in wanted or (topic.usual and not wanted))


def types_of(names: Sequence[str], namespace: str) -> dict[str, str]:
    """Return the message type of every topic, by its name below a namespace."""
    return {f'{namespace}/{name}': TOPICS[name].kind for name in names}


def asked_for(names: Sequence[str]) -> frozenset[Output]:
    """Return what has to be computed for these topics."""
    return frozenset({Output.DEPTH, *(TOPICS[name].output for name in names)})


def serialised(result: DepthResult, names: Sequence[str]) -> Iterator[tuple[str, memoryview]]:
    """
    Return the messages of a result on those topics for which it has something.

    They are what the node publishes, field by field, with the header of the input image.

    :param result: depth of one frame.
    :param names: names from ``TOPICS``.
    :returns: (topic, CDR bytes) in the order of ``names``.
    """
    for name in names:
        message = TOPICS[name].message(header_of(result), result)
        if message is not None:
            yield name, STORE.serialize_cdr(message, TOPICS[name].kind)


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
    """
    Return a PointCloud2.

    :param header: header of the input image.
    :param cloud: (H, W, C) float32 with NaN where there is no point, or a list (N, C) without
        NaN: x, y, z and, where C is 4, packed colour.
    """
    height, width, channels = cloud.shape if cloud.ndim == 3 else (1, *cloud.shape)
    fields = [
        _make(POINT_FIELD, name=name, offset=4 * index, datatype=FLOAT32, count=1)
        for index, name in enumerate(('x', 'y', 'z', 'rgb')[:channels])]
    return _make(
        POINT_CLOUD, header=header, height=height, width=width, fields=fields,
        is_bigendian=False, point_step=4 * channels, row_step=4 * channels * width,
        data=_bytes(cloud), is_dense=cloud.ndim == 2)


def scan_of(header: Any, scan: Scan) -> Any:
    """Return a LaserScan in its own level frame; all beams are of one moment."""
    own = _make(HEADER, stamp=header.stamp, frame_id=scan.frame_id)
    return _make(
        LASER_SCAN, header=own, angle_min=scan.angle_min, angle_max=scan.angle_max,
        angle_increment=scan.angle_increment, time_increment=0.0, scan_time=0.0,
        range_min=scan.nearest, range_max=scan.farthest, ranges=scan.ranges,
        intensities=np.zeros(0, np.float32))


def _make(kind: str, /, **fields: Any) -> Any:
    kinds: Mapping[str, Any] = STORE.types
    return kinds[kind](**fields)


def _bytes(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    little = values.astype(values.dtype.newbyteorder('<'), copy=False)
    return np.ascontiguousarray(little).reshape(-1).view(np.uint8)
