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

"""Requests of one size go through the network together, and each gets its own depth."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
import time

from bridge_parts import depth_of, Gate, PATIENCE_S, picture
import cv2
from depth_anything_ros.core.depth import DepthKind
import numpy as np
from rest_parts import client_of, serving


def png(rgb):
    return cv2.imencode('.png', rgb[..., ::-1])[1].tobytes()


def test_requests_that_wait_together_share_a_call_by_processed_size():
    images = [picture(seed) for seed in range(4)] + [picture(9, 40, 40)]
    gate = Gate()
    with serving(gate, kind=DepthKind.METRIC, max_batch=4) as client, \
            client_of(client.bridge) as other, ThreadPoolExecutor(6) as pool:
        def post(rgb):
            return other.post('/v1/depth', content=png(rgb), headers={'Accept-Encoding': ''})

        first = pool.submit(post, images[0])
        assert gate.entered.wait(PATIENCE_S)
        replies = [pool.submit(post, rgb) for rgb in images]
        service, end = client.bridge.context.service(), time.monotonic() + PATIENCE_S
        while service.statistics().under_way < 6:
            assert time.monotonic() < end
            time.sleep(0.01)
        gate.opened.set()
        for rgb, reply in zip((images[0], *images), (first, *replies)):
            assert reply.result().status_code == 200
            depth = np.frombuffer(reply.result().content, np.float32).reshape(rgb.shape[:2])
            # The nearest of all depths of this size, at the camera's size, is its own image's.
            same = [each for each in images if each.shape == rgb.shape]
            apart = [np.nanmean(abs(depth - cv2.resize(depth_of(each), rgb.shape[1::-1])))
                     for each in same]
            assert same[int(np.argmin(apart))] is rgb
        sizes = service.statistics().batches
        page = other.get('/metrics').text
    assert sum(size * count for size, count in sizes.items()) == 6
    assert max(sizes) > 1, sizes
    assert f'batches_total{{size="{max(sizes)}"}}' in page
