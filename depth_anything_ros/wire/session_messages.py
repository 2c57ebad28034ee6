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

"""Messages of the WebSocket reconstruction (rules W8 to W13), read and built without a socket."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
import json
from typing import Any, Iterator

from depth_anything_ros.errors import InvalidRequest, PayloadTooLarge
from depth_anything_ros.wire.limits import DEFAULT_LIMITS, Limits

MODEL_PART_BYTES = 384 * 2**10
"""Bytes of a model in one part: 512 KiB as base64, below the 1 MiB that clients take (W-a)."""


@dataclass(frozen=True)
class ImageSent:
    """An encoded image and what its sender calls it."""

    data: bytes
    filename: str | None = None


@dataclass(frozen=True)
class Generate:
    """
    Reconstruct what was sent so far.

    ``chunked`` asks for the model in parts, ``binary`` for its bytes in binary messages,
    ``confidence`` for that of every point in the model, as ``_CONFIDENCE``, ``zstd`` for the model
    compressed.
    """

    incremental: bool = False
    chunked: bool = False
    binary: bool = False
    confidence: bool = False
    zstd: bool = False


@dataclass(frozen=True)
class Finalize:
    """Reconstruct everything at full quality and be done; as :class:`Generate` otherwise."""

    chunked: bool = False
    binary: bool = False
    confidence: bool = False
    zstd: bool = False


@dataclass(frozen=True)
class Ping:
    """Ask whether anybody is there."""


@dataclass(frozen=True)
class Cancel:
    """Stop the reconstruction under way."""


FORM = ('chunked', 'binary', 'confidence', 'zstd')
"""How a client wants the model; each is false where nothing is said."""

Request = ImageSent | Generate | Finalize | Ping | Cancel


class BadFormat(InvalidRequest):
    """What came is no message at all."""


class BadImage(InvalidRequest):
    """The message is one of an image, and the image is not to be had."""


def parse_text(text: str, limits: Limits = DEFAULT_LIMITS) -> Request:
    """
    Return what a text message asks.

    :param text: the message.
    :param limits: how large an image may be; its base64 is measured before it is decoded.
    :raises BadFormat: when it is no JSON object.
    :raises BadImage: when its image is missing, too long or no base64.
    :raises InvalidRequest: when its type is not known.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadFormat(f'Invalid message format: {error}') from None
    if not isinstance(message, dict):
        raise BadFormat(
            f'Invalid message format: expected an object, seen {type(message).__name__}')
    kind = message.get('type')
    if kind == 'image':
        return _image(message, limits)
    if kind in ('generate', 'finalize'):
        form = {name: _flag(message, name) for name in FORM}
        if kind == 'finalize':
            return Finalize(**form)
        return Generate(incremental=_flag(message, 'incremental'), **form)
    if kind == 'ping':
        return Ping()
    if kind == 'cancel':
        return Cancel()
    raise InvalidRequest(f'Unknown message type: {str(kind)[:80]}')


def parse_binary(data: bytes, limits: Limits = DEFAULT_LIMITS) -> ImageSent:
    """Return a binary message, which is an encoded image and nothing else."""
    _check_length(len(data), limits)
    if not data:
        raise BadImage('Failed to process image: Invalid image data: empty message')
    return ImageSent(data)


def _flag(message: dict[str, Any], name: str) -> bool:
    value = message.get(name, False)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise BadFormat(
        f'Invalid message format: {name} must be true or false, seen {str(value)[:80]!r}')


def _image(message: dict[str, Any], limits: Limits) -> ImageSent:
    data = message.get('data')
    if not data:
        raise BadImage("Failed to process image: Missing 'data' field")
    if not isinstance(data, str):
        raise BadImage('Failed to process image: Invalid image data: base64 text is accepted, '
                       f'seen {type(data).__name__}')
    # A data: URL, as FileReader makes it (W13).
    text = data.partition(',')[2] if data.startswith('data:') else data
    _check_length(len(text) * 3 // 4, limits)
    try:
        content = base64.b64decode(text)
    except (binascii.Error, ValueError) as error:
        raise BadImage(f'Failed to process image: Invalid image data: {error}') from None
    name = message.get('filename')
    return ImageSent(content, name if isinstance(name, str) else None)


def _check_length(size: int, limits: Limits) -> None:
    if size > limits.message_bytes:
        raise PayloadTooLarge(
            f'Failed to process image: {size} bytes; accepted: at most {limits.message_bytes}')


def text_of(message: dict[str, Any]) -> str:
    """Return a message as JSON text, whose numbers are all finite."""
    return json.dumps(message, separators=(',', ':'), allow_nan=False)


def connected(session_id: str, image_count: int, max_images: int) -> dict[str, Any]:
    """Return the first message of a connection."""
    return {'type': 'connected', 'session_id': session_id, 'image_count': image_count,
            'max_images': max_images}


def ack(session_id: str, image_count: int, image_path: str) -> dict[str, Any]:
    """Return the answer to an image; ``image_path`` is the name that is shown, no path."""
    return {'type': 'ack', 'image_count': image_count, 'session_id': session_id,
            'image_path': image_path}


def progress(stage: str, share: float, message: str) -> dict[str, Any]:
    """Return how far a job is, 0 to 1."""
    return {'type': 'progress', 'stage': stage, 'progress': share, 'message': message}


def pong(session_id: str) -> dict[str, Any]:
    """Return the answer to a ping."""
    return {'type': 'pong', 'session_id': session_id}


def cancelling(session_id: str) -> dict[str, Any]:
    """Return the answer to a request to cancel; the job itself ends with an error message."""
    return {'type': 'cancelling', 'session_id': session_id}


def error(message: str, code: str | None = None) -> dict[str, Any]:
    """Return what went wrong; the socket stays open."""
    found = {'type': 'error', 'message': message}
    return found if code is None else {**found, 'code': code}


def results(
    kind: str, glb: bytes, metadata: dict[str, Any], *, chunked: bool = False,
    binary: bool = False,
) -> Iterator[dict[str, Any] | bytes]:
    """
    Yield the messages that carry a model (W9), in order.

    Plain: one message with the model as base64. ``chunked``: the parts of the model first, each
    ``{"type": "part", "of": kind, "index", "count", "data"}``, then the message with
    ``glb_base64`` null and ``glb_parts``. ``binary``: the message with ``glb_base64`` null and
    ``glb_binary`` (how many binary messages follow), then the bytes; with ``chunked`` in parts.

    :param kind: 'delta' or 'complete'.
    :param glb: the model, as it is sent.
    :param metadata: what describes it; ``glb_size_bytes`` among it where ``glb`` is compressed.
    """
    head = {'type': kind, 'image_count': metadata['num_frames'], 'glb_base64': None,
            'metadata': {'glb_size_bytes': len(glb), **metadata}}
    if not chunked and not binary:
        yield {**head, 'glb_base64': base64.b64encode(glb).decode('ascii')}
        return
    size = MODEL_PART_BYTES if chunked else max(1, len(glb))
    parts = [glb[start:start + size] for start in range(0, len(glb), size)]
    if binary:
        yield {**head, 'glb_binary': len(parts)}
        yield from parts
        return
    for index, part in enumerate(parts):
        yield {'type': 'part', 'of': kind, 'index': index, 'count': len(parts),
               'data': base64.b64encode(part).decode('ascii')}
    yield {**head, 'glb_parts': len(parts)}
