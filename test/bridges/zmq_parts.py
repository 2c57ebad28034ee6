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

"""Real ZMQ clients of the seed's kind."""

from __future__ import annotations

from contextlib import contextmanager

from bridge_parts import PATIENCE_S
import numpy as np
import zmq

PONG = {'status': 'success', 'message': 'pong'}
K = np.array([[70.0, 0, 39.5], [0, 72.0, 29.5], [0, 0, 1]])


def inference(image, **more):
    return {'command': 'inference', 'image': image, 'process_res': 504, **more}


@contextmanager
def client(address, kind=zmq.REQ):
    with zmq.Context() as context, context.socket(kind) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVTIMEO, int(1000 * PATIENCE_S))
        socket.setsockopt(zmq.SNDTIMEO, int(1000 * PATIENCE_S))
        socket.connect(address)
        yield socket


def ask(address, request):
    """Send one dict as the seed does and return the reply."""
    with client(address) as socket:
        socket.send_pyobj(request)
        return socket.recv_pyobj()
