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

"""Every error this package raises on purpose, with the code that replies carry."""


class DepthAnythingError(Exception):
    """Base of all errors; ``code`` is the short name that replies and logs carry."""

    code = 'internal'


class InvalidRequest(DepthAnythingError):
    """The request or message cannot be served as it is."""

    code = 'malformed_message'


class InvalidImage(InvalidRequest):
    """The image has a wrong size, type or length."""

    code = 'invalid_image'


class InvalidIntrinsics(InvalidRequest):
    """The camera's intrinsics are missing, impossible or do not fit the image."""

    code = 'invalid_intrinsics'


class UnsupportedEncoding(InvalidRequest):
    """The image encoding is not one of those we read."""

    code = 'unsupported_encoding'


class UnknownModel(InvalidRequest):
    """No model of that name is known."""

    code = 'unknown_model'


class PayloadTooLarge(DepthAnythingError):
    """The message is larger than the limit."""

    code = 'payload_too_large'


class Forbidden(DepthAnythingError):
    """The request asks for what this server does not allow."""

    code = 'forbidden'


class Unauthorized(DepthAnythingError):
    """The key is missing or wrong."""

    code = 'unauthorized'


class SessionNotFound(DepthAnythingError):
    """No session of that name exists."""

    code = 'session_not_found'


class LimitExceeded(DepthAnythingError):
    """The client uses more than its share: connections, requests under way, images, sessions."""

    code = 'limit_exceeded'


class Busy(DepthAnythingError):
    """The queue is full; try again later."""

    code = 'busy'


class NotReady(DepthAnythingError):
    """The model is not loaded and warm yet, or the service is closing."""

    code = 'not_ready'


class OutOfMemory(DepthAnythingError):
    """The device has too little memory for this request."""

    code = 'out_of_memory'


class DeadlineExceeded(DepthAnythingError):
    """The request was not done in the time it allowed."""

    code = 'deadline_exceeded'


class Cancelled(DepthAnythingError):
    """The caller withdrew the request before it was done."""

    code = 'cancelled'


class InferenceFailed(DepthAnythingError):
    """The network failed on this input."""

    code = 'inference_failed'


class ConfigError(DepthAnythingError):
    """A setting is unknown, of the wrong type or out of range."""

    code = 'config_error'


class MissingDependency(DepthAnythingError):
    """A package that this feature needs is not installed."""

    code = 'missing_dependency'


class ModelLoadFailed(DepthAnythingError):
    """The model's weights could not be found or do not fit the network."""

    code = 'model_load_failed'
