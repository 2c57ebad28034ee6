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

"""Settings of the ROS node and of its process."""

from __future__ import annotations

from dataclasses import dataclass

from depth_anything_ros.settings.schema import setting

PROFILES = ('SENSOR_DATA', 'DEFAULT', 'SYSTEM_DEFAULT')


@dataclass(frozen=True)
class NodeSettings:
    """How the ROS node behaves."""

    autostart: bool = setting(
        True, 'Configure and activate at start, without a life cycle manager.', read_only=True)
    input_qos: str = setting(
        'SENSOR_DATA', 'Quality of service of the image and camera_info subscriptions, newest '
        'message only. SENSOR_DATA: best effort; DEFAULT: reliable; SYSTEM_DEFAULT: as the '
        'middleware is set up.', choices=PROFILES, read_only=True)
    output_qos: str = setting(
        'DEFAULT', 'Quality of service of everything that is published, newest message only. '
        'DEFAULT: reliable, which reaches every subscriber; SENSOR_DATA: best effort; '
        'SYSTEM_DEFAULT: as the middleware is set up.', choices=PROFILES, read_only=True)
    statistics_period: float = setting(
        0.0, 'Seconds between two log lines with rates, delays and drops of every camera; 0: '
        'none.', unit='s', low=0.0, high=86400.0)


@dataclass(frozen=True)
class DiagnosticSettings:
    """How the node speaks on /diagnostics; the names are those of diagnostic_updater."""

    period: float = setting(
        1.0, 'Seconds between two messages on /diagnostics.', unit='s', low=0.1, high=3600.0)
    use_fqn: bool = setting(
        False, 'Put the namespace in front of the name of the node in the names of the statuses '
        'on /diagnostics, where several nodes have one name.')


@dataclass(frozen=True)
class ProcessSettings:
    """Process-wide tuning, done before rclpy and torch start."""

    tune_malloc: bool = setting(
        True, 'Keep big buffers in the heap instead of mapping them anew for every frame.',
        read_only=True, environment='DEPTH_ANYTHING_TUNE_MALLOC')
    fastdds_profile: bool = setting(
        True, 'Use the shipped Fast DDS profile for large images where none is set.',
        read_only=True, environment='DEPTH_ANYTHING_FASTDDS_PROFILE')
