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

"""The subscriptions of one camera: there while somebody reads what comes of them."""

from __future__ import annotations

import threading
from typing import Any, Callable

from depth_anything_ros.ros.info_reader import InfoReader
from depth_anything_ros.ros.input_thread import InputThread
from depth_anything_ros.ros.qos import newest_only
from depth_anything_ros.ros.received import ImageReader
from depth_anything_ros.settings import Settings
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image


def image_topic(node: Any, transport: str, prefix: str = '') -> str:
    """
    Return the topic of the images, remapped.

    Compressed ones are beside the remapped ``image``, as image_transport has it, unless
    ``image/compressed`` is remapped itself.

    :param node: the node.
    :param transport: raw or compressed.
    :param prefix: stands in front of the names of a camera's topics.
    """
    raw: str = node.resolve_topic_name(f'{prefix}image')
    if transport == 'raw':
        return raw
    own: str = node.resolve_topic_name(f'{prefix}image/compressed')
    if own != node.resolve_topic_name(f'{prefix}image/compressed', only_expand=True):
        return own
    return f'{raw}/compressed'


def camera_info_topic(node: Any, image: str, prefix: str = '') -> str:
    """
    Return the topic of the CameraInfo.

    It is what ``camera_info`` was remapped to, else the neighbour of the image, as
    image_transport has it.

    :param node: the node.
    :param image: the topic of the images, with or without its transport.
    :param prefix: stands in front of the names of a camera's topics.
    """
    own: str = node.resolve_topic_name(f'{prefix}camera_info')
    if own != node.resolve_topic_name(f'{prefix}camera_info', only_expand=True):
        return own
    return image.removesuffix('/compressed').rpartition('/')[0] + '/camera_info'


def is_latched(node: Any, topic: str) -> bool:
    """
    Return whether all who publish a topic keep their newest message for whoever comes later.

    :param node: the node.
    :param topic: the topic; one that nobody publishes is not latched.
    """
    offers = [offer.qos_profile for offer in node.get_publishers_info_by_topic(topic)]
    return bool(offers) and all(
        offer.durability == DurabilityPolicy.TRANSIENT_LOCAL
        and offer.reliability == ReliabilityPolicy.RELIABLE for offer in offers)


class Subscriptions:
    """
    The image and the CameraInfo of one camera, subscribed to and left again at any time.

    They are heard in a thread of their own.
    """

    def __init__(
        self, node: Any, settings: Settings, on_image: Callable[[Any], None],
        on_info: Callable[[int, Any], None], prefix: str = '',
    ) -> None:
        """
        Find the topics; nothing is subscribed to yet.

        :param node: the node that owns the subscriptions.
        :param settings: transport and quality of service.
        :param on_image: is given every image message, a raw one as
            :meth:`ImageReader.read` returns it.
        :param on_info: is given the stamp of every CameraInfo, and the message; its own stamp is
            that of the first one that said the same.
        :param prefix: stands in front of the names of the topics.
        """
        self._node = node
        self._lock = threading.Lock()
        self._qos = settings.node.input_qos
        transport = settings.camera.image_transport
        self.image_topic = image_topic(node, transport, prefix)
        self.info_topic = camera_info_topic(node, self.image_topic, prefix)
        # The raw one by its own name: what a name was remapped to could be remapped once more.
        self.images = images = ImageReader()
        infos = InfoReader()
        self._image: tuple[type, str, Callable[[Any], None], bool] = (
            (Image, f'{prefix}image', lambda data: on_image(images.read(data)), True)
            if transport == 'raw' else (CompressedImage, self.image_topic, on_image, False))
        self._read: Callable[[Any], None] = lambda data: on_info(*infos.read(data))
        self._latched = False
        self._open: list[Any] = []
        self._thread = InputThread(node.context, 'depth-input')

    @property
    def subscribed(self) -> bool:
        """Return whether the camera is subscribed to."""
        return bool(self._open)

    def subscribe(self) -> None:
        """Subscribe, unless that is so already."""
        with self._lock:
            if not self._open:
                # The executor takes them in this order: an image finds the info that came with it.
                kind, topic, take, raw = self._image
                self._open = [self._subscribe_to_info(), self._node.create_subscription(
                    kind, topic, take, raw=raw, callback_group=self._thread.group,
                    **newest_only(self._qos))]
                self._thread.hear(self._open)

    def follow_info(self) -> None:
        """Subscribe to the CameraInfo anew where it has become latched, or is so no more."""
        with self._lock:
            if self._open and is_latched(self._node, self.info_topic) != self._latched:
                gone = self._open[0]
                self._open[0] = self._subscribe_to_info()
                self._thread.hear(self._open)
                self._thread.soon(lambda: self._node.destroy_subscription(gone))

    def _subscribe_to_info(self) -> Any:
        self._latched = is_latched(self._node, self.info_topic)
        # Asking everybody to be latched would shut those out who are not.
        quality: dict[str, Any] = newest_only(self._qos) if not self._latched else {
            'qos_profile': QoSProfile(
                depth=1, reliability=ReliabilityPolicy.RELIABLE,
                durability=DurabilityPolicy.TRANSIENT_LOCAL)}
        return self._node.create_subscription(
            CameraInfo, self.info_topic, self._read, raw=True,
            callback_group=self._thread.group, **quality)

    def unsubscribe(self) -> None:
        """Unsubscribe, unless that is so already."""
        with self._lock:
            gone, self._open = self._open, []
            if gone:
                self._thread.hear(())
                self._thread.soon(lambda: [self._node.destroy_subscription(each) for each in gone])

    def close(self) -> None:
        """Unsubscribe for good; nothing is heard after this returns."""
        self.unsubscribe()
        self._thread.close()
