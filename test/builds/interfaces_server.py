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

"""Answer EstimateDepth with what the request says; ends after one call."""

from depth_anything_ros.srv import EstimateDepth
import rclpy


def answer(request, response):
    response.success = True
    response.message = f'{request.image.encoding} {request.fov_deg:g} {request.process_res}'
    response.depth.header = request.image.header
    response.depth.height, response.depth.width = request.image.height, request.image.width
    response.depth.encoding = '32FC1'
    response.depth.data.frombytes(bytes(4 * request.image.height * request.image.width))
    response.camera_info = request.camera_info
    called.append(True)
    return response


called = []
rclpy.init()
node = rclpy.create_node('interfaces_server')
node.create_service(EstimateDepth, 'estimate_depth', answer)
while not called:
    rclpy.spin_once(node)
rclpy.spin_once(node, timeout_sec=1.0)  # let the reply leave
