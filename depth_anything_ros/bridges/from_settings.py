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

"""The bridges that a group of settings asks for, to run beside something else on its service."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Mapping, TYPE_CHECKING

from depth_anything_ros.bridges.access import Access, KEY_VARIABLE
from depth_anything_ros.bridges.base import Bridge, BridgeLimits
from depth_anything_ros.bridges.image_roots import ImageRoots
from depth_anything_ros.settings import Settings
from depth_anything_ros.settings.bridges import RestSettings
from depth_anything_ros.wire.limits import Limits

if TYPE_CHECKING:
    from depth_anything_ros.bridges.rest.options import RestOptions


def bridges_of(
    settings: Settings, environment: Mapping[str, str] = os.environ,
) -> dict[str, Bridge]:
    """
    Return the bridges that are enabled, by name; none of them listens yet.

    :param settings: whose group ``bridges`` says which, where and for whom.
    :param environment: holds the key, which is in no setting.
    :raises ConfigError: when a port would be open to others by accident.
    :raises MissingDependency: when a bridge's library is not installed.
    """
    group, bridges = settings.bridges, dict[str, Bridge]()
    roots = ImageRoots(group.image_roots)
    message = Limits(message_bytes=group.max_message * 2**20)

    def access(known: bool = False) -> Access:
        return Access(
            group.host, environment.get(KEY_VARIABLE, ''), group.allow_anonymous or known)

    if group.zmq.enabled or group.pub.enabled:
        from depth_anything_ros.bridges.curve import curve_of
        curve = curve_of(group.zmq.curve_key, group.zmq.curve_clients, environment)
        known = curve is not None and curve.clients is not None
    if group.zmq.enabled:
        from depth_anything_ros.bridges.zeromq import ZmqBridge
        bridges['zmq'] = ZmqBridge(
            access(known), group.zmq.port, roots=roots, curve=curve, limits=BridgeLimits(
                message, group.zmq.max_clients, request_s=group.zmq.request_timeout))
    if group.pub.enabled:
        from depth_anything_ros.bridges.publisher import ZmqPublisher
        bridges['pub'] = ZmqPublisher(access(known), group.pub.port, curve=curve)
    if group.tcp.enabled:
        from depth_anything_ros.bridges.tcp import TcpBridge
        from depth_anything_ros.bridges.tcp_actions import installed_actions
        from depth_anything_ros.bridges.tls import server_tls
        # Without on_shutdown: a client of the network does not stop a robot's node.
        bridges['tcp'] = TcpBridge(
            access(), group.tcp.port, actions=installed_actions(), roots=roots,
            limits=BridgeLimits(
                message, group.tcp.max_clients, idle_s=group.tcp.idle_timeout,
                message_s=group.tcp.message_timeout, request_s=group.tcp.request_timeout),
            tls=server_tls(group.tcp.tls_cert, group.tcp.tls_key))
    if group.rest.enabled:
        from depth_anything_ros.bridges.rest.server import RestBridge
        bridges['rest'] = RestBridge(
            rest_options(group.rest, access(), roots, message), group.rest.port)
    return bridges


def rest_options(
    settings: RestSettings, access: Access, roots: ImageRoots, message: Limits,
) -> RestOptions:
    """
    Return what the settings of the REST bridge say.

    :param settings: those of this bridge alone.
    :param access: who may ask.
    :param roots: folders in which clients may name pictures.
    :param message: bounds of one request.
    :raises ConfigError: when they cannot be meant.
    """
    from depth_anything_ros.bridges.backend.exports import ExportRoots
    from depth_anything_ros.bridges.rest.fetching import FetchPolicy
    from depth_anything_ros.bridges.rest.options import RestOptions
    from depth_anything_ros.reconstruction.sessions import SessionLimits
    certificate, key = (
        Path(name) if name else None for name in (settings.tls_cert, settings.tls_key))
    return RestOptions(
        access, BridgeLimits(
            message, settings.max_clients, settings.in_flight, settings.idle_timeout,
            settings.message_timeout, settings.request_timeout), roots=roots,
        origins=settings.cors_origins, hosts=settings.allowed_hosts, certificate=certificate,
        certificate_key=key, rate=settings.rate, fetch=FetchPolicy(
            settings.allow_image_url, tuple(name.lower() for name in settings.image_url_hosts)),
        sessions=SessionLimits(
            sessions=settings.max_sessions, idle_s=settings.session_timeout,
            points=settings.num_max_points),
        exports=ExportRoots(settings.export_roots),
        gallery=Path(settings.gallery) if settings.gallery else None)
