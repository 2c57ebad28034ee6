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

"""All that is used of ``rosbags``, the pure Python reader and writer of rosbag2 files."""

from __future__ import annotations

from depth_anything_ros.errors import MissingDependency

try:
    from rosbags.interfaces import (
        Connection,
        ConnectionExtRosbag2,
        MessageDefinitionFormat,
        Qos,
        QosDurability,
        QosHistory,
        QosLiveliness,
        QosReliability,
        QosTime,
    )
    from rosbags.rosbag2 import Reader, StoragePlugin, Writer
    from rosbags.typesys import get_types_from_idl, get_types_from_msg, get_typestore, Stores
except ImportError as error:
    raise MissingDependency(
        'reading and writing bags needs the rosbags library, 0.11 or newer: '
        f'pip install "depth_anything_ros[bag]" ({error})') from None

__all__ = [
    'CAMERA_INFO', 'COMPRESSED_IMAGE', 'Connection', 'ConnectionExtRosbag2', 'HEADER', 'IMAGE',
    'LASER_SCAN', 'MessageDefinitionFormat', 'POINT_CLOUD', 'POINT_FIELD', 'Qos', 'QosDurability',
    'QosHistory', 'QosLiveliness', 'QosReliability', 'QosTime', 'REGION', 'Reader', 'STORE',
    'StoragePlugin', 'Stores', 'TIME', 'Writer', 'get_types_from_idl', 'get_types_from_msg',
    'get_typestore',
]

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED_IMAGE = 'sensor_msgs/msg/CompressedImage'
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'
LASER_SCAN = 'sensor_msgs/msg/LaserScan'
POINT_CLOUD = 'sensor_msgs/msg/PointCloud2'
POINT_FIELD = 'sensor_msgs/msg/PointField'
REGION = 'sensor_msgs/msg/RegionOfInterest'
HEADER = 'std_msgs/msg/Header'
TIME = 'builtin_interfaces/msg/Time'

# These messages are the same in every distribution, so the definitions that a bag brings along,
# from which code would have to be made, are not needed for them.
STORE = get_typestore(Stores.LATEST)
"""The messages that we read and write."""
