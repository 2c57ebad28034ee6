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

"""A network behind a server's HTTP port, asked over one connection that stays open."""

from __future__ import annotations

from dataclasses import replace
from http.client import HTTPConnection, HTTPException, HTTPSConnection
import json
import logging
import os
import time
from typing import Any, Mapping, Sequence
from urllib.parse import quote, urlsplit

from depth_anything_ros.core.depth import DepthKind, FocalSource
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.core.remarks import remarks
from depth_anything_ros.engine.base import EngineInfo
from depth_anything_ros.engine.elsewhere import ElsewhereEngine, Maps
from depth_anything_ros.errors import (
    ConfigError,
    DepthAnythingError,
    InferenceFailed,
    InvalidRequest,
    ModelLoadFailed,
    NotReady,
    OutOfMemory,
    PayloadTooLarge,
    UnknownModel,
)
from depth_anything_ros.settings import ModelSettings, Settings
from depth_anything_ros.wire.limits import Limits
from depth_anything_ros.wire.message import from_body, to_body
from depth_anything_ros.wire.network_messages import image_message, MEDIA_TYPE, PATH
from depth_anything_ros.wire.results import depth_reply, DepthReply
from depth_anything_ros.wire.status import error_of
import numpy as np
import numpy.typing as npt

logger = logging.getLogger(__name__)

KEY_VARIABLE = 'DEPTH_ANYTHING_ENGINE_KEY'

LIMITS = Limits()
"""Bounds of a reply: three float32 maps at the largest processed size fit."""

BLANK = Frame(np.zeros((14, 14, 3), np.uint8))
"""An image of a camera that nobody knows, as the network's own are."""

PERIOD_S = 0.5
"""Seconds between two looks at a server that is not there yet."""

OF_THE_IMAGE = (InvalidRequest, PayloadTooLarge, InferenceFailed, OutOfMemory)
"""Errors that say nothing against the server as such."""


def connect(settings: Settings, environment: Mapping[str, str] = os.environ) -> ElsewhereEngine:
    """
    Return an engine whose network is that of the server of ``engine.url``.

    :param settings: where it is, how long to wait for it and for each image.
    :param environment: holds the server's key.
    :raises ConfigError: when the URL is none, or the server runs another model than the one that
        is asked for.
    :raises ModelLoadFailed: when it is not ready in ``engine.wait``.
    """
    engine, name = settings.engine, settings.model.name
    network = RemoteNetwork(engine.url, engine.timeout, environment.get(KEY_VARIABLE, ''))
    network.meet(engine.wait, '' if name == ModelSettings.name else name)
    info = network.info
    logger.info('the network is that of %s: %s (%s), weights under %s', engine.url, info.model,
                info.kind.value, info.licence)
    return ElsewhereEngine(network)


class RemoteNetwork:
    """Asks a server for the maps of images, one at a time."""

    def __init__(self, url: str, timeout: float, key: str = '') -> None:
        """
        Remember where the server is.

        :param url: such as http://host:8000.
        :param timeout: seconds that one image may take.
        :param key: the server's key, '' for none.
        :raises ConfigError: when it is no such URL.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host or parts.scheme not in ('http', 'https') or parts.query or parts.username:
            raise ConfigError(f'engine.url is {url!r}; accepted: http://HOST:PORT or https://')
        kind = HTTPSConnection if parts.scheme == 'https' else HTTPConnection
        self._connection = kind(host, port, timeout=timeout)
        self._url, self._path = url, parts.path.rstrip('/')
        self._headers = {
            'Content-Type': MEDIA_TYPE, 'Accept': '*/*', 'Accept-Encoding': 'identity',
            'X-Deadline-Ms': str(max(1, int(timeout * 1000)))}
        if key:
            self._headers['Authorization'] = f'Bearer {key}'
        self._info: EngineInfo | None = None
        self._query = ''
        self._trouble = ''

    @property
    def info(self) -> EngineInfo:
        """Return what the server's network is, and why it cannot be asked, if so."""
        assert self._info is not None
        return replace(self._info, degraded=self._trouble) if self._trouble else self._info

    def meet(self, patience: float, model: str = '') -> None:
        """
        Ask the server what its network is, again until it is ready.

        :param patience: seconds to try.
        :param model: which of its networks, '' for the first one.
        :raises ConfigError: when it has no such one.
        :raises ModelLoadFailed: when it is not ready then, or does not let us in.
        """
        until = time.monotonic() + patience
        self._query = f'?model={quote(model)}' if model else ''
        said = ''
        while True:
            try:
                self._info = info_of(
                    json.loads(self._exchange('GET', '/v1/models', ())), self._url, model)
                return
            except ConfigError:
                self.close()
                raise
            except (DepthAnythingError, ValueError, KeyError, TypeError, IndexError) as error:
                if not isinstance(error, NotReady) or time.monotonic() >= until:
                    raise ModelLoadFailed(
                        f'the engine at {self._url} cannot be used: {error}') from error
                if str(error) != said:
                    said = str(error)
                    logger.warning('waiting up to %g s: %s', patience, said)
                time.sleep(min(PERIOD_S, max(0.0, until - time.monotonic())))

    def __call__(self, pixels: npt.NDArray[np.uint8]) -> Maps:
        """
        Return the maps of an image.

        :param pixels: (h, w, 3) uint8 RGB at the processed size.
        :raises NotReady: when the server is not there, not ready or not the same any more.
        :raises DepthAnythingError: as the server raised it.
        """
        assert self._info is not None
        try:
            body = self._exchange(
                'POST', PATH + self._query, to_body(image_message(pixels)))
            reply = depth_reply(from_body(body, LIMITS))
            check_same(reply, self._info, f'the server at {self._url}')
        except UnknownModel as error:
            self._note(f'{error}: configure anew to use another')
            raise NotReady(self._trouble) from None
        except OF_THE_IMAGE:
            self._note('')
            raise
        except DepthAnythingError as error:
            self._note(str(error))
            raise
        self._note('')
        return maps_of(reply)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _note(self, trouble: str) -> None:
        """Remember why the server cannot be asked, '' where it can, and say when that changes."""
        before, self._trouble = self._trouble, trouble
        if trouble and not before:
            logger.warning('degraded: %s; every further image tries again', trouble)
        elif before and not trouble:
            logger.info('the engine at %s is back', self._url)

    def _exchange(self, method: str, path: str, body: Sequence[bytes | memoryview]) -> bytes:
        """
        Return the body of a reply.

        :raises NotReady: when the server cannot be reached.
        :raises DepthAnythingError: as the server raised it.
        """
        headers = dict(self._headers)
        if body:
            headers['Content-Length'] = str(sum(len(part) for part in body))
        used = self._connection.sock is not None
        try:
            status, data = self._once(method, path, body, headers)
        except ConnectionError as error:
            # A server closes a connection that was silent for long: only a new one tells.
            self._connection.close()
            if not used:
                raise self._lost(error) from None
            try:
                status, data = self._once(method, path, body, headers)
            except (OSError, HTTPException) as again:
                self._connection.close()
                raise self._lost(again) from None
        except (OSError, HTTPException) as error:
            self._connection.close()
            raise self._lost(error) from None
        if status == 200:
            return data
        raise error_in(status, data)

    def _once(
        self, method: str, path: str, body: Sequence[bytes | memoryview],
        headers: Mapping[str, str],
    ) -> tuple[int, bytes]:
        self._connection.request(method, self._path + path, body=iter(body) if body else None,
                                 headers=headers)
        response = self._connection.getresponse()
        data = response.read(LIMITS.message_bytes + 1)
        if len(data) > LIMITS.message_bytes:
            self._connection.close()
            raise PayloadTooLarge(f'a reply of more than {LIMITS.message_bytes} bytes')
        return response.status, data

    def _lost(self, error: Exception) -> NotReady:
        reason = str(error) or type(error).__name__
        return NotReady(f'no answer from the engine at {self._url}: {reason}')


def check_same(reply: DepthReply, info: EngineInfo, who: str) -> None:
    """
    Refuse the answer of another model than the one that was met: units may be others.

    :param reply: the answer.
    :param info: the model that was met.
    :param who: answered.
    :raises NotReady: when it is another one.
    """
    if (reply.model, reply.scale_law.kind) != (info.model, info.kind):
        raise NotReady(
            f'{who} now runs {reply.model} ({reply.scale_law.kind.value}) and not {info.model} '
            f'({info.kind.value}): configure anew to use it')


def maps_of(reply: DepthReply) -> Maps:
    """Return the maps of a raw result, with the notes that this end does not make by itself."""
    predicted = reply.intrinsics if reply.scale_law.focal_source is FocalSource.MODEL else None
    usual = remarks(FrameOptions(raw=True), BLANK, reply.scale_law, predicted, True, True)
    return Maps(reply.depth, reply.confidence, reply.sky, predicted, tuple(
        note for note in reply.notes if note not in usual))


def info_of(reply: Any, url: str, model: str = '') -> EngineInfo:
    """
    Return what a server said about one of its models at /v1/models.

    :param reply: the JSON values.
    :param url: the server.
    :param model: the model's name, '' for the first one.
    :raises ConfigError: when it is not among them.
    """
    rows = [row for row in reply['models'] if model in ('', row['id'])]
    if not rows:
        raise ConfigError(
            f'the server at {url} runs {", ".join(str(row["id"]) for row in reply["models"])}, '
            f'and model.name asks for {model}: with engine.url the server decides')
    row = rows[0]
    return EngineInfo(
        model=str(row['id']), kind=DepthKind(row['kind']), device=f'{url} ({row["device"]})',
        precision=str(row['precision']), licence=str(row['licence']),
        process_res=int(row['process_res']), has_confidence=bool(row['confidence']),
        has_sky=bool(row['sky']), predicts_intrinsics=bool(row['predicts_intrinsics']),
        warnings=tuple(str(each) for each in row['warnings']))


def error_in(status: int, data: bytes) -> DepthAnythingError:
    """Return the error of a reply that is none of status 200."""
    try:
        body = json.loads(data)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return NotReady(f'the server answered {status}')
    return error_of(body.get('code'), body.get('detail', f'status {status}'))
