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
A stand-in for tf2_ros, which no package index has: its names, its arguments, real messages.

``Buffer.poses`` holds TransformStamped by (target, source); a stamp of 0 means at all times.
"""

import time


class TransformException(Exception):
    """Base of what a look-up raises."""


class LookupException(TransformException):
    """A frame is not known."""


class ExtrapolationException(TransformException):
    """A frame is not known at that time."""


class Buffer:
    """Answers look-ups from what the tests put into it."""

    poses = {}
    made = []

    def __init__(self, cache_time=None, node=None):
        self.waits, self.cleared = [], 0
        Buffer.made.append(self)

    def lookup_transform(self, target_frame, source_frame, time, timeout):
        end = now() + timeout.nanoseconds / 1e9
        self.waits.append(timeout.nanoseconds / 1e9)
        while True:
            try:
                return self._find(target_frame, source_frame, time.nanoseconds)
            except TransformException:
                if now() >= end:
                    raise
                pause()

    def clear(self):
        self.cleared += 1

    def _find(self, target, source, stamp):
        known = self.poses.get((target, source), [])
        if not known:
            raise LookupException(f'"{target}" passed to lookupTransform does not exist.')
        for pose in known:
            own = pose.header.stamp.sec * 10 ** 9 + pose.header.stamp.nanosec
            if own in (0, stamp):
                return pose
        raise ExtrapolationException('Lookup would require extrapolation into the future.')


class TransformListener:
    """Listens to nothing; remembers whether it was told to stop."""

    made = []

    def __init__(self, buffer, node, *, spin_thread=False, qos=None, static_qos=None):
        self.buffer, self.registered = buffer, True
        TransformListener.made.append(self)

    def unregister(self):
        self.registered = False


def now():
    return time.monotonic()


def pause():
    time.sleep(0.005)
