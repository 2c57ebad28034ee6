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

"""Quality of service by name: the newest message only, and qos_overrides for all the rest."""

from __future__ import annotations

from typing import Any

from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions

RELIABILITY = {
    'SENSOR_DATA': ReliabilityPolicy.BEST_EFFORT,
    'DEFAULT': ReliabilityPolicy.RELIABLE,
    'SYSTEM_DEFAULT': ReliabilityPolicy.SYSTEM_DEFAULT,
}
"""The profiles that our settings accept; SYSTEM_DEFAULT is what the middleware is set up for."""


def newest_only(profile: str) -> dict[str, Any]:
    """
    Return the arguments of a publisher or subscription that keeps one message.

    A queue would only make depth older. Volatile, like all three profiles.

    :param profile: a name of ``RELIABILITY``.
    :returns: ``qos_profile`` and the ``qos_overriding_options`` that let parameters change it.
    """
    return {
        'qos_profile': QoSProfile(
            history=HistoryPolicy.KEEP_LAST, depth=1, reliability=RELIABILITY[profile]),
        'qos_overriding_options': QoSOverridingOptions.with_default_policies()}
