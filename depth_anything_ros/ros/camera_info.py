"""CameraInfo in and out."""

from __future__ import annotations

from depth_anything_ros.core.camera import from_camera_info, Intrinsics
from depth_anything_ros.errors import InvalidIntrinsics
from sensor_msgs.msg import CameraInfo, RegionOfInterest
from std_msgs.msg import Header


def is_distorted(info: CameraInfo) -> bool:
    """Return whether the camera has lens distortion that nobody has taken out."""
    return any(value != 0.0 for value in info.d)


def intrinsics_of(info: CameraInfo, width: int, height: int) -> Intrinsics | None:
    """
    Return the camera of an image, None where the message says that it is not calibrated.

    The message does not tell whether its image is rectified. Without distortion it is as good as
    rectified, and P describes it where P is set; otherwise K does, and the caller should warn.

    :param info: the message; K, P, region of interest and binning as CameraInfo.msg says.
    :param width: width of the image in pixels.
    :param height: height of the image in pixels.
    :raises InvalidIntrinsics: when the message is impossible or belongs to another size.
    """
    matrix = info.p if not is_distorted(info) and info.p[0] > 0.0 else info.k
    if matrix[0] == 0.0:
        return None
    roi = info.roi
    camera = from_camera_info(
        matrix, info.width, info.height, binning=(info.binning_x, info.binning_y),
        roi=(roi.x_offset, roi.y_offset, roi.width, roi.height))
    if camera.size != (width, height):
        raise InvalidIntrinsics(
            f'camera_info describes an image of {camera.width}x{camera.height} '
            f'({info.width}x{info.height}, region of interest {roi.width}x{roi.height}, binning '
            f'{info.binning_x}x{info.binning_y}), the image is {width}x{height}')
    return camera


def fill_camera_info(message: CameraInfo, header: Header, camera: Intrinsics) -> CameraInfo:
    """
    Fill a message with a camera without distortion, region of interest or binning.

    K and P say the same, so that consumers of either agree with our cloud; P has no baseline.

    :param message: message to fill.
    :param header: header of the input image.
    :param camera: the camera of exactly the published pixels.
    :returns: the same message.
    """
    message.header = header
    message.width, message.height = camera.size
    message.distortion_model = 'plumb_bob'
    message.d = [0.0] * 5
    message.k = [camera.fx, 0.0, camera.cx, 0.0, camera.fy, camera.cy, 0.0, 0.0, 1.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.p = [
        camera.fx, 0.0, camera.cx, 0.0, 0.0, camera.fy, camera.cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    message.binning_x = message.binning_y = 0
    message.roi = RegionOfInterest()
    return message
