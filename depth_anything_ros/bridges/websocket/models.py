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

"""The model of a session's images: all of them at once, or grown by those that are new."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
import threading
import time
from typing import Any, Callable

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.pictures import decode_picture, picture_size
from depth_anything_ros.errors import Busy, InvalidRequest, SessionNotFound
from depth_anything_ros.reconstruction.glb import glb_bytes
from depth_anything_ros.reconstruction.incremental import IncrementalScene
from depth_anything_ros.reconstruction.scene import Scene
from depth_anything_ros.reconstruction.sessions import Session, StoredImage
from depth_anything_ros.reconstruction.steps import DONE, FUSING, INFERENCE, PREPARING, SHARES
from depth_anything_ros.service import DepthService
from depth_anything_ros.wire.coding import compressed

SCENES_KEPT = 4
"""Scenes that wait in memory for their next images, each at most 108 MB and a few pictures."""

PATIENCE_S = 30.0
"""Seconds that a reconstruction tries again when the device's queue is full."""

TRY_AGAIN_S = 0.2

Began = Callable[[str, float, str], None]
"""Is told a stage, how much is done (0 to 1), and a text for people."""


@dataclass(frozen=True)
class Model:
    """A finished reconstruction: a GLB as it is sent, and what describes it."""

    glb: bytes
    metadata: dict[str, Any]


@dataclass(frozen=True)
class Order:
    """One reconstruction: of what, by what, who watches, whether it is wanted, in which form."""

    service: DepthService
    session: Session
    images: tuple[StoredImage, ...]
    began: Began
    withdrawn: threading.Event
    confidence: bool = False
    zstd: bool = False


class Models:
    """Makes models in the threads that ask for them, and keeps what may go on growing."""

    def __init__(self) -> None:
        """Begin without any."""
        self._lock = threading.Lock()
        self._growing: OrderedDict[str, tuple[DepthService, IncrementalScene]] = OrderedDict()

    def forget_gone(self, known: Callable[[str], bool]) -> None:
        """Free what is kept for sessions that are not there any more."""
        with self._lock:
            for name in [name for name in self._growing if not known(name)]:
                del self._growing[name]

    def whole(self, order: Order) -> Model:
        """Return the model of all images at once."""
        frames = [read_frame(image) for image in order.images]

        def watch(step: str, share: float) -> None:
            if step in STAGES:
                order.began(STAGES[step], share, text_of(step, len(frames)))

        scene = patiently(order, lambda: order.service.reconstruct(
            frames, order.session.options, progress=watch, cancelled=order.withdrawn.is_set))
        return finished(order, scene)

    def grown(self, order: Order) -> Model:
        """
        Return the model of all images, of which the network sees the new ones and a few old ones.

        Where that cannot be, all are reconstructed at once, and the metadata say why.
        """
        if not order.service.info.multi_view:
            return self.whole(order)
        try:
            scene = self._grow(order)
        except InvalidRequest as error:
            with self._lock:
                self._growing.pop(order.session.id, None)
            model = self.whole(order)
            note = f'all images were reconstructed at once, because they cannot be added: {error}'
            return replace(model, metadata={
                **model.metadata, 'notes': [*model.metadata['notes'], note]})
        return finished(order, scene)

    def _grow(self, order: Order) -> Scene:
        scene = self._kept(order)
        images = order.images
        for step in (PREPARING, INFERENCE):
            order.began(STAGES[step], SHARES[step], text_of(step, len(images)))
        before = len(scene)
        share = (SHARES[FUSING] - SHARES[INFERENCE]) / max(1, len(images) - before)
        while len(scene) < len(images):
            if len(scene) > before:
                order.began(
                    STAGES[INFERENCE], SHARES[INFERENCE] + share * (len(scene) - before),
                    f'Processing frame {len(scene) + 1}/{len(images)}')
            # Few at a time, so that few decoded pictures are held.
            some = images[len(scene):len(scene) + scene.room]
            frames = [read_frame(image) for image in some]
            patiently(order, lambda frames=frames: scene.add(  # type: ignore[misc]
                frames, cancelled=order.withdrawn.is_set))
        order.began(STAGES[FUSING], SHARES[FUSING], text_of(FUSING, len(images)))
        result = scene.scene()
        with self._lock:
            self._growing[order.session.id] = (order.service, scene)
            while len(self._growing) > SCENES_KEPT:
                self._growing.popitem(last=False)
        return result

    def _kept(self, order: Order) -> IncrementalScene:
        """Take out what the session has so far; another model begins again."""
        with self._lock:
            service, scene = self._growing.pop(order.session.id, (None, None))
        if scene is None or service is not order.service or len(scene) > len(order.images):
            return order.service.incremental(order.session.options)
        return scene


STAGES = {PREPARING: 'loading_model', INFERENCE: 'inference', FUSING: 'exporting'}
"""Our steps in the words of the seed; ``DONE`` is the model itself."""

assert DONE not in STAGES


def text_of(step: str, count: int) -> str:
    """Return the seed's text for a step."""
    return {PREPARING: 'Loading model...', INFERENCE: f'Processing {count} images...',
            FUSING: 'Generating 3D model...'}[step]


def finished(order: Order, scene: Scene) -> Model:
    """Return a scene as what is sent."""
    glb = glb_bytes(
        scene, show_cameras=order.session.options.show_cameras, confidence=order.confidence)
    metadata = {**scene.metadata(), 'session_id': order.session.id, 'glb_size_bytes': len(glb)}
    if order.zstd:
        return Model(bytes(compressed(glb, 'zstd')), {**metadata, 'glb_encoding': 'zstd'})
    return Model(glb, metadata)


def patiently(order: Order, work: Callable[[], Any]) -> Any:
    """Do something that needs the device, again and again while its queue is full."""
    given_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            return work()
        except Busy:
            if time.monotonic() > given_up or order.withdrawn.wait(TRY_AGAIN_S):
                raise


def read_frame(image: StoredImage) -> Frame:
    """
    Return a stored image as a frame.

    :raises SessionNotFound: when the session was removed meanwhile.
    """
    try:
        data = memoryview(image.path.read_bytes())
    except FileNotFoundError:
        raise SessionNotFound('the session was removed') from None
    return Frame(decode_picture(data, picture_size(data)))
