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
A publisher or a subscriber of 1080p images, best effort, as a process of its own.

Prints as JSON how many images went through and the largest shared-memory file that it has mapped.
"""

import json
import os
import sys
import time

from depth_anything_ros.process import set_up_process

SET_UP = set_up_process()

import rclpy  # noqa: E402, I100
from rclpy.qos import qos_profile_sensor_data  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402

COUNT, PERIOD = 30, 0.1


def publish(node):
    message = Image(height=1080, width=1920, step=5760, encoding='rgb8')
    message.data.frombytes(bytes(1080 * 5760))
    publisher = node.create_publisher(Image, 'large', qos_profile_sensor_data)
    deadline = time.monotonic() + 60
    while publisher.get_subscription_count() == 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    for index in range(COUNT):
        message.header.stamp.sec = index
        publisher.publish(message)
        time.sleep(PERIOD)
    time.sleep(1.0)
    return COUNT


def receive(node):
    seen = []
    node.create_subscription(
        Image, 'large', lambda message: seen.append(message.header.stamp.sec),
        qos_profile_sensor_data)
    last, deadline = time.monotonic(), time.monotonic() + 90
    # The publisher ends a second after its last image; a longer silence is the end.
    while time.monotonic() < deadline and COUNT - 1 not in seen:
        before = len(seen)
        rclpy.spin_once(node, timeout_sec=0.1)
        if len(seen) > before or not node.get_publishers_info_by_topic('/large'):
            last = time.monotonic()
        if time.monotonic() - last > 5.0:
            break
    return len(set(seen))


def largest_shared_memory():
    with open('/proc/self/maps', encoding='utf-8') as maps:
        paths = {line.split()[-1] for line in maps if '/dev/shm/' in line}
    return max((os.stat(path).st_size for path in paths if os.path.exists(path)), default=0)


if __name__ == '__main__':
    rclpy.init()
    node = rclpy.create_node('large_' + sys.argv[1])
    shared_memory = largest_shared_memory()
    count = {'publish': publish, 'receive': receive}[sys.argv[1]](node)
    print(json.dumps({'count': count, 'shared_memory': shared_memory, 'done': SET_UP.done}))
