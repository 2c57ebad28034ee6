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
