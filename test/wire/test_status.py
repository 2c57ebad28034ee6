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

"""One test per row of the table of errors and their faces (design, section 8)."""

from __future__ import annotations

import inspect
from typing import Any

from depth_anything_ros import errors
from depth_anything_ros.wire.status import FACES, FAILED_TEXT, failure, UNFORESEEN_TEXT
import pytest

ROWS: list[tuple[type[Exception], str, int, int | None, bool, bool]] = [
    # class, code, HTTP status, WebSocket close code, Retry-After, ends a raw stream
    (errors.InvalidRequest, 'malformed_message', 400, None, False, False),
    (errors.InvalidImage, 'invalid_image', 400, None, False, False),
    (errors.InvalidIntrinsics, 'invalid_intrinsics', 400, None, False, False),
    (errors.UnsupportedEncoding, 'unsupported_encoding', 400, None, False, False),
    (errors.UnknownModel, 'unknown_model', 400, None, False, False),
    (errors.PayloadTooLarge, 'payload_too_large', 413, 1009, False, True),
    (errors.Forbidden, 'forbidden', 403, None, False, False),
    (errors.Unauthorized, 'unauthorized', 401, 4401, False, False),
    (errors.SessionNotFound, 'session_not_found', 404, None, False, False),
    (errors.LimitExceeded, 'limit_exceeded', 429, None, True, False),
    (errors.Busy, 'busy', 503, None, True, False),
    (errors.NotReady, 'not_ready', 503, 1013, True, False),
    (errors.OutOfMemory, 'out_of_memory', 503, None, False, False),
    (errors.DeadlineExceeded, 'deadline_exceeded', 504, None, False, False),
    (errors.Cancelled, 'cancelled', 409, None, False, False),
]

SECRETS = '/home/robot/weights.safetensors line 12 torch.Size([1, 3])'


@pytest.mark.parametrize(('kind', 'code', 'http', 'close', 'retry', 'ends'), ROWS)
def test_an_error_of_ours_keeps_its_words_on_every_transport(
    kind: type[Exception], code: str, http: int, close: int | None, retry: bool, ends: bool,
) -> None:
    seen = failure(kind('image is float64 (480, 640); accepted: uint8'))
    text = 'image is float64 (480, 640); accepted: uint8'
    assert (seen.face.http, seen.face.close, seen.face.ends_stream) == (http, close, ends)
    assert seen.http_headers() == ({'Retry-After': '1'} if retry else {})
    assert seen.http_body() == {'detail': text, 'code': code}
    assert seen.websocket_message() == {'type': 'error', 'message': text, 'code': code}
    assert seen.zmq_reply() == {'status': 'error', 'error': text, 'code': code}
    assert seen.tcp_reply() == {'status': 'error', 'message': text, 'code': code}


@pytest.mark.parametrize(('error', 'code', 'text'), [
    (errors.InferenceFailed(SECRETS), 'inference_failed', FAILED_TEXT),
    (errors.ConfigError(SECRETS), 'internal', UNFORESEEN_TEXT),
    (errors.MissingDependency(SECRETS), 'internal', UNFORESEEN_TEXT),
    (errors.ModelLoadFailed(SECRETS), 'internal', UNFORESEEN_TEXT),
    (errors.DepthAnythingError(SECRETS), 'internal', UNFORESEEN_TEXT),
    (RuntimeError(SECRETS), 'internal', UNFORESEEN_TEXT),
    (KeyError(SECRETS), 'internal', UNFORESEEN_TEXT),
    (MemoryError(), 'internal', UNFORESEEN_TEXT),
    (KeyboardInterrupt(), 'internal', UNFORESEEN_TEXT)])
def test_no_internals_in_the_text_of_what_nobody_foresaw(
    error: BaseException, code: str, text: str,
) -> None:
    seen = failure(error)
    assert (seen.face.http, seen.face.close, seen.face.ends_stream) == (500, 1011, False)
    replies: list[dict[str, Any]] = [
        seen.http_body(), seen.websocket_message(), seen.zmq_reply(), seen.tcp_reply()]
    for reply in replies:
        assert reply['code'] == code and text in reply.values()
        assert not any(word in str(reply) for word in ('robot', 'line', 'torch'))


def test_an_error_made_from_another_one_hides_the_other_one() -> None:
    try:
        try:
            raise RuntimeError(SECRETS)
        except RuntimeError as cause:
            raise errors.InvalidImage('image cannot be decoded') from cause
    except errors.InvalidImage as error:
        assert 'robot' not in str(failure(error).zmq_reply())


def test_every_error_of_the_package_has_a_row() -> None:
    start_up = {errors.ConfigError, errors.MissingDependency, errors.ModelLoadFailed}
    classes = {kind for _, kind in inspect.getmembers(errors, inspect.isclass)
               if issubclass(kind, errors.DepthAnythingError)}
    for kind in classes - start_up - {errors.DepthAnythingError}:
        assert any(base in FACES for base in kind.__mro__), kind
    assert {row[0] for row in ROWS} | {errors.InferenceFailed, errors.DepthAnythingError} \
        | start_up == classes
