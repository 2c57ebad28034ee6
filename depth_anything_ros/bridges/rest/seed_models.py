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

"""The seed's request, and what OpenAPI says about its replies."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveFloat


class CameraIntrinsics(BaseModel):
    """A pinhole camera in pixels."""

    fx: PositiveFloat = Field(allow_inf_nan=False)
    fy: PositiveFloat = Field(allow_inf_nan=False)
    cx: FiniteFloat
    cy: FiniteFloat


class DepthRequest(BaseModel):
    """One picture, its camera and what is asked of it; keys that nobody knows are ignored."""

    model_config = ConfigDict(protected_namespaces=(), json_schema_extra={'examples': [{
        'image': '<base64 of a JPEG, PNG or WebP file>', 'max_depth': 20.0,
        'camera_intrinsics': {'fx': 1000.0, 'fy': 1000.0, 'cx': 640.0, 'cy': 480.0}}]})

    image: str | None = Field(
        None, description='base64 of a file, with or without "data:image/...;base64,"')
    image_url: str | None = Field(
        None, description='https address of a picture; off unless the operator allows it')
    camera_intrinsics: CameraIntrinsics | None = None
    encoder: Literal['vits', 'vitb', 'vitl', 'vitg'] = 'vitl'
    dataset: Literal['hypersim', 'vkitti'] = 'hypersim'
    model_input_size: int = Field(
        518, ge=14, le=2016, description='shorter processed side in pixels')
    max_depth: FiniteFloat | None = Field(
        None, description='largest value of the reply; 20 (hypersim) and 80 (vkitti) give metres')
    depth_format: Literal['png8', 'png16', 'float32', 'npy'] = Field(
        'png8', description='what depth_map holds')


class SeedReply(BaseModel):
    """What every reply says beside the seed's keys."""

    model_config = ConfigDict(protected_namespaces=())

    law: str = Field(description='how the numbers were made')
    units: str = Field(description="'m' where the numbers are metres, else 'scaled'")
    kind: str
    model: str
    intrinsics: dict[str, float] | None = Field(description='camera that was used')
    notes: list[str]
    timings: dict[str, float]
    request_id: str


class PointCloudReply(SeedReply):
    """Points of every pixel, row by row."""

    pointcloud: str = Field(description='base64 of float32 little-endian, N x 3')
    shape: list[int] = Field(examples=[[307200, 3]])
    pointcloud_shape: list[int]


class DepthReply(SeedReply):
    """A depth map."""

    depth_map: str = Field(description='see depth_format; by default a data URL of an 8-bit PNG')
    shape: list[int] = Field(examples=[[480, 640]])
    depth_shape: list[int]
    smallest: float = Field(alias='min')
    largest: float = Field(alias='max')
    depth_format: str


class HealthReply(BaseModel):
    """What runs."""

    model_config = ConfigDict(protected_namespaces=())

    status: str = Field(examples=['healthy'])
    device: str = Field(examples=['cuda:0'])
    models_loaded: list[str] = Field(examples=[['vitl_hypersim_518_1.0']])
