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

"""One camera of the node: its topics out, its way in while the node is active, its numbers."""

from __future__ import annotations

import threading
import time
from typing import Any, Callable

from depth_anything_ros.ros.companions import Companions
from depth_anything_ros.ros.counting import Counts, Flow
from depth_anything_ros.ros.diagnostics import Health, judge, rates, SILENCE
from depth_anything_ros.ros.inputs import CameraInput
from depth_anything_ros.ros.outputs import Outputs
from depth_anything_ros.ros.reporting import Reporter
from depth_anything_ros.ros.serialized import handling
from depth_anything_ros.ros.transforms import Transforms
from depth_anything_ros.service import DepthService, EngineInfo
from depth_anything_ros.settings import Settings


class Camera:
    """
    Everything of one camera; the model is shared by all.

    ``outputs`` is there from :meth:`configure` to :meth:`clean_up`, ``input`` from
    :meth:`activate` to :meth:`deactivate`; ``flow`` and the counts go on through all of it.
    """

    def __init__(
        self, node: Any, name: str, settings: Callable[[], Settings], reporter: Reporter,
        transforms: Transforms, companions: Companions | None = None,
    ) -> None:
        """
        Make a camera without any topics yet.

        :param node: the node that owns its publishers and subscriptions.
        :param name: namespace of its topics; empty: they lie beside the node.
        :param settings: returns the newest snapshot.
        :param reporter: the node's; what is said of this camera names it.
        :param transforms: the node's.
        :param companions: the node's servers, which may take the results, too.
        """
        self.name = name
        self.flow = Flow()
        self.reporter = Reporter(
            node.get_logger(), prefix=f'{name}: ' if name else '', parent=reporter)
        self.outputs: Outputs | None = None
        self.input: CameraInput | None = None
        self._node = node
        self._settings = settings
        self._transforms = transforms
        self._companions = companions
        self._prefix = f'{name}/' if name else ''
        self._past = Counts()
        self._ending: list[CameraInput] = []
        self._ends = threading.Lock()
        self._reported = Counts()
        self._forgotten = Counts()
        self._enabled = True

    def configure(self, info: EngineInfo, *, active: bool = False) -> None:
        """
        Create the publishers of what a model can give.

        :param info: what the model can give.
        :param active: whether the node is active already, and nobody else wakes them.
        """
        self.outputs = Outputs(
            self._node, info, self._settings(), self.refresh, self._prefix, self._companions)
        if active:
            self.outputs.activate()

    def activate(self, service: DepthService) -> None:
        """Hand what comes to a service, and subscribe while that has a reader."""
        assert self.outputs is not None
        self.input = CameraInput(
            self._node, service, self.outputs, self._settings, self.reporter, self.flow,
            self._transforms, self._prefix, self._enabled)

    def refresh(self) -> None:
        """Subscribe or unsubscribe, as the readers of the outputs make it right."""
        if self.input is not None:
            self.input.refresh()

    @property
    def enabled(self) -> bool:
        """Return whether images are taken."""
        return self._enabled

    def enable(self, enabled: bool) -> None:
        """Take images, or leave them; kept while the node goes through its states."""
        self._enabled = enabled
        if self.input is not None:
            self.input.enabled = enabled
            self.input.refresh()

    def deactivate(self) -> None:
        """Unsubscribe; nothing is published after this returns."""
        if self.input is not None:
            self.input.close()
            with self._ends:
                self._ending.append(self.input)
                self.input = None

    def clean_up(self) -> None:
        """Take everything down."""
        self.deactivate()
        if self.outputs is not None:
            self.outputs.destroy()
            self.outputs = None

    def counts(self) -> Counts:
        """Return what became of all images since the node was made, or :meth:`reset`."""
        with self._ends:
            return self._all_counts() - self._forgotten

    def reset(self) -> None:
        """Begin counts, rates and delays anew."""
        with self._ends:
            self._forgotten = self._all_counts().ended()
            self._reported = Counts()
        self.flow.reset()
        self.reporter.forget()

    def _all_counts(self) -> Counts:
        for item in list(self._ending):
            counts = item.counts()
            if not counts.waiting:  # nothing of it changes any more
                self._past += counts
                self._ending.remove(item)
        inputs = [*self._ending, *([self.input] if self.input else [])]
        return sum((item.counts() for item in inputs), self._past)

    def health(self, state: str) -> Health:
        """
        Return the snapshot for diagnostics; what is new since the last call decides its level.

        :param state: of the node.
        """
        counts, flow, camera = self.counts(), self.flow, self.input
        law = camera.law if camera else None
        topic = camera.topics.image_topic if camera else ''
        health = Health(
            state=state, counts=counts, before=self._reported,
            silence=min(flow.received.silence(), time.monotonic() - camera.listening_since)
            if camera else 0.0,
            image_topic=topic, publishers=self._publishers(topic),
            hint=self._hint(topic) if topic else '',
            idle=camera is not None and not camera.topics.subscribed, enabled=self._enabled,
            last_error=self.reporter.last_error, values={
                'scale law': str(law) if law else '',
                'lens': camera.frames.lens if camera else '',
                'messages': handling(camera.topics.images.strange if camera else ''),
                **rates(flow)})
        self._reported = counts
        if camera and not camera.counts().received and health.publishers \
                and health.silence > SILENCE:
            self.reporter.once(f'silence on {topic}', judge(health)[1])
        return health

    def _publishers(self, topic: str) -> int:
        return int(self._node.count_publishers(topic)) if topic else 0

    def _hint(self, topic: str) -> str:
        """Return where the images are instead, as far as a name can tell."""
        raw = topic.removesuffix('/compressed')
        other, transport = (f'{topic}/compressed', 'compressed') if raw == topic else (raw, 'raw')
        if self._publishers(topic) or not self._publishers(other):
            return ''
        return f'; images come on {other}: set camera.image_transport to {transport}'
