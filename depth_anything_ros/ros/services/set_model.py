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

"""The service ~/set_model: another model without a restart, the old one until it is warm."""

from __future__ import annotations

from dataclasses import replace
import threading
from typing import Any

from depth_anything_ros.errors import Busy, Forbidden, NotReady
from depth_anything_ros.ros.background import in_background
from depth_anything_ros.ros.distro import resumed
from depth_anything_ros.ros.interfaces import SetModel
from depth_anything_ros.ros.services.answers import refused
from rclpy.callback_groups import ReentrantCallbackGroup


class SetModelServer:
    """Answers ``~/set_model``; the model is loaded in a thread of its own."""

    def __init__(self, node: Any) -> None:
        """
        Create the service.

        :param node: the node that owns it, with ``settings``, ``serving``, ``load``,
            ``loads`` and ``use``.
        """
        self._node = node
        self._loading = threading.Lock()
        self._server = node.create_service(
            SetModel, '~/set_model', self._answer, callback_group=ReentrantCallbackGroup())

    async def _answer(self, request: Any, response: Any) -> Any:
        if not self._loading.acquire(blocking=False):
            return refused(response, Busy('another model is being loaded already; try again'))
        try:
            return await self._switch(request.name, response)
        except Exception as error:
            return self._with_model(refused(response, error))
        finally:
            self._loading.release()

    async def _switch(self, name: str, response: Any) -> Any:
        settings = self._node.settings
        allowed = settings.model.allowed
        if name not in allowed:
            known = ', '.join(allowed) or 'none: the parameter model.allowed is empty'
            raise Forbidden(f'{name!r} is not among the models that may be used: {known}')
        before = self._node.serving()
        wanted = replace(settings, model=replace(settings.model, name=name))
        loading = self._node.load(wanted)
        await resumed(self._node.executor, loading)
        service = self._node.loads.take(loading)
        if self._node.loaded is not before:
            # It was cleaned up or configured anew meanwhile: what was asked for is outdated.
            in_background(service.close, 'depth-close')
            raise NotReady('the node was cleaned up while the model was loading')
        self._node.use(service)
        response.success, response.code = True, 'ok'
        response.message = '; '.join(service.info.warnings)
        return self._with_model(response)

    def _with_model(self, response: Any) -> Any:
        service = self._node.loaded
        if service is not None:
            response.model, response.licence = service.info.model, service.info.licence
        return response
