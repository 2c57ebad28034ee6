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

"""Servers whose engine knows a room, and clients that speak to their sessions."""

from __future__ import annotations

import base64
from contextlib import contextmanager
import json
import struct

import cv2
from depth_anything_ros.bridges.rest.options import REST_LIMITS, RestOptions
from depth_anything_ros.bridges.rest.server import RestBridge
from depth_anything_ros.reconstruction.sessions import SessionLimits
from depth_anything_ros.service import DepthService
import httpx
import numpy as np
from scene_world import exact_engine, exact_views, seen
from websockets.sync.client import connect

PATIENCE_S = 60
SMALL = 2000
"""Points of a model that is quick to send and to read."""


def png(rgb):
    return cv2.imencode('.png', rgb[..., ::-1])[1].tobytes()


def pictures(count=4):
    """Return encoded views of the room, whose depth the engine below knows."""
    return [png(frame.rgb) for frame in seen()[0][:count]]


def as_seen(frames):
    """Return the exact views of frames that came over a wire."""
    known = {frame.rgb.tobytes(): frame for frame in seen()[0]}
    return exact_views([known[frame.rgb.tobytes()] for frame in frames])


def unknown_views(frames):
    """Return views of any images: a flat wall at 2 m."""
    views = exact_views(seen()[0][:1])
    count = len(frames)
    return type(views)(
        rgb=np.stack([frame.rgb for frame in frames]),
        depth=np.full((count, *frames[0].rgb.shape[:2]), 2, np.float32),
        intrinsics=np.repeat(views.intrinsics, count, 0),
        extrinsics=np.repeat(views.extrinsics, count, 0), scale_law=views.scale_law, model='wall')


@contextmanager
def serving(views_of=as_seen, *, limits=REST_LIMITS, sessions=None, queue_size=32, engine=None,
            **options):
    """Yield an HTTP client of a server; its bridge is ``client.bridge``."""
    more = {key: options.pop(key) for key in ('delay', 'multi_view', 'kind') if key in options}
    service = DepthService(engine or exact_engine(views_of, **more), queue_size=queue_size)
    bridge = RestBridge(RestOptions(
        limits=limits, sessions=sessions or SessionLimits(), **options), 0)
    bridge.listen()
    try:
        bridge.start(service)
        with httpx.Client(base_url=bridge.address, timeout=PATIENCE_S, trust_env=False) as client:
            client.bridge = bridge
            yield client
    finally:
        bridge.stop()
        service.close()


def created(client, **parameters):
    """Make a session and return its id."""
    reply = client.post('/ws/session/create', params={'num_max_points': SMALL, **parameters})
    assert reply.status_code == 200, reply.text
    return reply.json()['session_id']


class Talk:
    """One socket."""

    def __init__(self, client, session, **more):
        uri = str(client.base_url).rstrip('/').replace('http', 'ws', 1)
        self.connection = connect(
            f'{uri}/ws/reconstruct/{session}', max_size=more.pop('max_size', None),
            open_timeout=PATIENCE_S, close_timeout=PATIENCE_S, proxy=None, **more)

    def __enter__(self):
        self.socket = self.connection.__enter__()
        return self

    def __exit__(self, *error):
        self.connection.__exit__(*error)

    def say(self, **message):
        self.socket.send(json.dumps(message))

    def hear(self):
        message = self.socket.recv(PATIENCE_S)
        return message if isinstance(message, bytes) else json.loads(message)

    def ask(self, **message):
        self.say(**message)
        return self.hear()

    def image(self, data, **more):
        return self.ask(type='image', data=base64.b64encode(data).decode(), **more)

    def until(self, *kinds):
        """Return all messages up to the first of these kinds."""
        heard = [self.hear()]
        while isinstance(heard[-1], bytes) or heard[-1]['type'] not in kinds:
            heard.append(self.hear())
        return heard


@contextmanager
def talking(client, session=None, **more):
    """Yield a socket whose greeting has been read."""
    with Talk(client, session or created(client), **more) as talk:
        assert talk.hear()['type'] == 'connected'
        yield talk


def gltf(glb):
    """Return (document, binary part) of a GLB."""
    magic, version, size = struct.unpack('<4sII', glb[:12])
    assert (magic, version, size) == (b'glTF', 2, len(glb))
    length = struct.unpack('<I', glb[12:16])[0]
    return json.loads(glb[20:20 + length]), glb[28 + length:]


def model_of(message):
    return base64.b64decode(message['glb_base64'])
