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

"""Call EstimateDepth in another process, and print what came back and from where we run."""

import json

import depth_anything_ros
from depth_anything_ros.srv import EstimateDepth
import rclpy

rclpy.init()
node = rclpy.create_node('interfaces_client')
client = node.create_client(EstimateDepth, 'estimate_depth')
assert client.wait_for_service(60.0), 'no server'
request = EstimateDepth.Request(fov_deg=60.0, process_res=280)
request.image.header.frame_id = 'camera_optical'
request.image.height, request.image.width, request.image.step = 48, 64, 192
request.image.encoding = 'rgb8'
request.image.data.frombytes(bytes(48 * 192))
request.camera_info.k[0] = 55.5
future = client.call_async(request)
rclpy.spin_until_future_complete(node, future, timeout_sec=60.0)
response = future.result()
with open('/proc/self/maps', encoding='utf-8') as maps:
    libraries = sorted({line.split()[-1] for line in maps if 'libdepth_anything_ros' in line})
print(json.dumps({
    'success': response.success, 'message': response.message,
    'frame_id': response.depth.header.frame_id, 'size': len(response.depth.data),
    'fx': response.camera_info.k[0], 'package': depth_anything_ros.__file__,
    'libraries': libraries}))
