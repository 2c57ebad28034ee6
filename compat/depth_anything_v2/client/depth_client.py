"""The seed's client library under its old name: ``from client.depth_client import *``."""

from depth_anything_ros.clients.rest import (
    decode_depth_map,
    decode_pointcloud,
    encode_image,
    get_health,
    predict_metric_depth,
    predict_pointcloud,
    predict_relative_depth,
)

__all__ = [
    'decode_depth_map', 'decode_pointcloud', 'encode_image', 'get_health',
    'predict_metric_depth', 'predict_pointcloud', 'predict_relative_depth']
