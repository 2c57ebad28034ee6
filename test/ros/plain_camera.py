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

"""A camera process for tests: 20 small images a second with their CameraInfo, until killed."""

import os
import sys
import time

from depth_anything_ros.process import PROFILE_VARIABLES

if __name__ == '__main__':
    # It is killed, and would leave the large segment of the profile behind in /dev/shm.
    for name in PROFILE_VARIABLES:
        os.environ.pop(name, None)
    import rclpy
    from rclpy.qos import qos_profile_sensor_data
    from ros_parts import camera_info, coded_image, plane_depth, small_camera
    from sensor_msgs.msg import CameraInfo, Image

    rclpy.init()
    node = rclpy.create_node('plain_camera')
    images = node.create_publisher(Image, 'image', qos_profile_sensor_data)
    infos = node.create_publisher(CameraInfo, 'camera_info', qos_profile_sensor_data)
    camera = small_camera(*(int(side) for side in sys.argv[1:3]))
    depth = plane_depth(camera)
    while rclpy.ok():
        stamp = node.get_clock().now().nanoseconds
        infos.publish(camera_info(camera, stamp))
        images.publish(coded_image(depth, stamp))
        time.sleep(0.05)
