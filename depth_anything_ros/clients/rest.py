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
Clients of the REST bridge.

The functions below are those of the seed's client library (rule R12): dictionaries in and out, as
its users know them. :class:`RestClient` and :class:`AsyncRestClient` are ours, for ``/v1``: typed
results with units and camera, retries, deadlines.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, Mapping, Sequence

from depth_anything_ros.clients.v1 import AsyncRestClient, RestClient
from depth_anything_ros.errors import MissingDependency
import numpy as np
import numpy.typing as npt

try:
    import httpx
except ImportError as error:
    raise MissingDependency(
        'the REST client needs httpx: pip install "depth_anything_ros[client]"') from error

__all__ = [
    'AsyncRestClient', 'RestClient', 'decode_depth_map', 'decode_pointcloud', 'encode_image',
    'get_health', 'predict_metric_depth', 'predict_pointcloud', 'predict_relative_depth']

BASE_URL = 'http://localhost:8000'

TIMEOUT_S = 60.0

NO_IMAGE = 'Either image or image_url must be provided'
"""The seed's own words."""

Camera = Mapping[str, float]
Reply = dict[str, Any]


def encode_image(image_path: str | Path) -> str:
    """Return a file as base64 text."""
    return base64.b64encode(Path(image_path).read_bytes()).decode('ascii')


def decode_pointcloud(
    pointcloud_base64: str, shape: Sequence[int],
) -> npt.NDArray[np.float32]:
    """
    Return the points of a reply, (N, 3) float32: x right, y down, z forward.

    :param pointcloud_base64: its ``pointcloud``.
    :param shape: its ``shape``.
    """
    data = np.frombuffer(base64.b64decode(pointcloud_base64), '<f4')
    return data.reshape(*shape).astype(np.float32)


def decode_depth_map(depth_map_base64: str) -> npt.NDArray[Any]:
    """
    Return the levels of a reply's ``depth_map``, (H, W) uint8 (uint16 for ``png16``).

    Depth is ``min + level / 255 * (max - min)`` with the reply's ``min`` and ``max``.

    :param depth_map_base64: a PNG, with or without ``data:image/png;base64,`` before it.
    """
    from depth_anything_ros.wire.depth_files import picture_of
    return picture_of(base64.b64decode(depth_map_base64.rpartition(',')[2]))


def predict_pointcloud(
    image: str | None = None, image_url: str | None = None,
    camera_intrinsics: Camera | None = None, base_url: str = BASE_URL, encoder: str = 'vitl',
    dataset: str = 'hypersim', model_input_size: int = 518, max_depth: float = 1.0,
    api_key: str | None = None,
) -> Reply:
    """
    Return the reply of ``/pc``: ``pointcloud``, ``shape`` and what the server says about them.

    :param image: base64 of a file, as of :func:`encode_image`.
    :param image_url: https address of a picture, where the server allows it.
    :param camera_intrinsics: fx, fy, cx, cy in pixels of the picture.
    :param base_url: the server.
    :param encoder: size of the older model, kept for its users.
    :param dataset: 'hypersim' (indoors) or 'vkitti' (outdoors).
    :param model_input_size: shorter processed side in pixels.
    :param max_depth: largest value; 20 (hypersim) or 80 (vkitti) give metres.
    :param api_key: the server's key.
    :raises ValueError: when there is no picture.
    :raises httpx.HTTPStatusError: when the server refuses.
    """
    return _post('/pc', base_url, api_key, image, image_url, camera_intrinsics=camera_intrinsics,
                 encoder=encoder, dataset=dataset, model_input_size=model_input_size,
                 max_depth=max_depth)


def predict_metric_depth(
    image: str | None = None, image_url: str | None = None,
    camera_intrinsics: Camera | None = None, base_url: str = BASE_URL, encoder: str = 'vitl',
    dataset: str = 'hypersim', model_input_size: int = 518, max_depth: float = 1.0,
    api_key: str | None = None,
) -> Reply:
    """Return the reply of ``/metric_depth``; see :func:`predict_pointcloud`."""
    return _post('/metric_depth', base_url, api_key, image, image_url,
                 camera_intrinsics=camera_intrinsics, encoder=encoder, dataset=dataset,
                 model_input_size=model_input_size, max_depth=max_depth)


def predict_relative_depth(
    image: str | None = None, image_url: str | None = None,
    camera_intrinsics: Camera | None = None, base_url: str = BASE_URL, encoder: str = 'vitl',
    dataset: str = 'hypersim', model_input_size: int = 518, api_key: str | None = None,
) -> Reply:
    """Return the reply of ``/rel_depth``; see :func:`predict_pointcloud`."""
    return _post('/rel_depth', base_url, api_key, image, image_url,
                 camera_intrinsics=camera_intrinsics, encoder=encoder, dataset=dataset,
                 model_input_size=model_input_size)


def get_health(base_url: str = BASE_URL, api_key: str | None = None) -> Reply:
    """Return the reply of ``/health``."""
    reply = httpx.get(f'{base_url.rstrip("/")}/health', headers=_headers(api_key),
                      timeout=TIMEOUT_S)
    reply.raise_for_status()
    found: Reply = reply.json()
    return found


def _post(
    path: str, base_url: str, api_key: str | None, image: str | None, image_url: str | None,
    **fields: Any,
) -> Reply:
    if not image and not image_url:
        raise ValueError(NO_IMAGE)
    body = {name: value for name, value in
            {'image': image, 'image_url': image_url, **fields}.items() if value is not None}
    reply = httpx.post(f'{base_url.rstrip("/")}{path}', json=body, headers=_headers(api_key),
                       timeout=TIMEOUT_S)
    reply.raise_for_status()
    found: Reply = reply.json()
    return found


def _headers(api_key: str | None) -> dict[str, str]:
    return {'Authorization': f'Bearer {api_key}'} if api_key else {}
