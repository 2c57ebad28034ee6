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

"""Engines of a known depth for replicas, and deployments of them."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
import io
import os
from pathlib import Path
import signal
import threading
import time

from bridge_parts import depth_of, picture
import cv2
from depth_anything_ros.bridges.rest.server import RestBridge
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.errors import InferenceFailed
from depth_anything_ros.settings import changed, Settings
import httpx
import numpy as np

PATIENCE_S = 60.0
ONE_CPU = {'num_cpus': 1}


class Given(GivenDepthEngine):
    """
    Takes a constant time for a call, however many images, and leaves traces in a folder.

    A file named after the process says that it lives; it has a line for each image. Where a file
    ``broken-PROCESS`` is, the device fails.
    """

    def __init__(self, folder, delay=0.0, model='given'):
        super().__init__(lambda frame: depth_of(frame.rgb), delay=delay, model=model)
        self._trace = Path(folder) / str(os.getpid())
        self._broken = Path(folder) / f'broken-{os.getpid()}'
        self._trace.touch()

    def infer(self, batch):
        if self._broken.exists():
            raise InferenceFailed('the device is gone')
        with self._trace.open('a') as trace:
            trace.writelines(f'{item.frame.rgb[0, 0].tolist()}\n' for item in batch)
        return super().infer(batch)


def given(folder, delay=0.0, model='given'):
    """Return what loads such an engine."""
    return partial(Given, str(folder), delay, model)


def any_view():
    """Return an engine of a small any-view network; the same in every process."""
    from depth_anything_ros.engine.da3 import DA3Engine
    from depth_anything_ros.engine.models import find
    from tiny_networks import tiny_any_view
    return DA3Engine(tiny_any_view(), find('da3-small'))


def processes(folder):
    """Return the processes that have loaded an engine and live."""
    return {int(path.name) for path in Path(folder).iterdir()
            if path.name.isdecimal() and Path('/proc', path.name).exists()}


def seen(folder):
    """Return what each image that came to a device has in its first pixel."""
    return [line for path in Path(folder).iterdir() if path.name.isdecimal()
            for line in path.read_text().splitlines()]


def mark(seed):
    """Return that of the image of a seed."""
    return str(picture(seed)[0, 0].tolist())


def settings_of(**given):
    return changed(Settings(), {name.replace('__', '.'): value for name, value in given.items()})


@contextmanager
def replicas(load, count, name='depth_anything', settings=None, **options):
    """Yield the service of so many replicas."""
    from depth_anything_ros.ray_serve import deployed
    from ray import serve
    service = deployed(load, settings or settings_of(model__queue_size=128), name, **{
        'num_replicas': count, 'ray_actor_options': ONE_CPU, **options})
    try:
        yield service
    finally:
        service.close()
        serve.delete(name)


def frame(seed=0, width=80, height=60):
    return Frame(picture(seed, width, height), stamp_ns=seed)


def submit(service, seed=0, seconds=PATIENCE_S, options=None):
    item = frame(seed)
    return service.submit(
        lambda: item, options or FrameOptions(raw=True), deadline=time.monotonic() + seconds)


def wait_until(condition, seconds=PATIENCE_S):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, 'waited in vain'
        time.sleep(0.02)


def kill(process):
    os.kill(process, signal.SIGKILL)


@contextmanager
def gateway(service):
    """Yield the address of the HTTP server in front of a service."""
    bridge = RestBridge(port=0)
    bridge.listen()
    try:
        bridge.start(service)
        yield bridge.address
    finally:
        bridge.stop()


class Load:
    """
    Clients that ask a gateway, each one request after the other, until told to stop.

    They end with the program: a test that fails does not wait for them.
    """

    def __init__(self, address, clients):
        self.replies, self._stop = [], threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(address, seed), daemon=True)
                         for seed in range(clients)]
        for thread in self._threads:
            thread.start()

    def _ask(self, address, seed):
        body = png(seed)
        with httpx.Client(base_url=address, timeout=PATIENCE_S, trust_env=False) as client:
            while not self._stop.is_set():
                self.replies.append((seed, post(client, body)))

    def stop(self):
        """Return the replies, each with the seed of its image."""
        self._stop.set()
        for thread in self._threads:
            thread.join(2 * PATIENCE_S)
            assert not thread.is_alive()
        return self.replies


def post(client, body):
    return client.post('/v1/depth?fov_deg=60', content=body, headers={
        'Content-Type': 'image/png', 'Accept': 'application/x-npy'})


def png(seed):
    return cv2.imencode('.png', picture(seed)[..., ::-1])[1].tobytes()


def is_right(seed, reply):
    """Return whether a reply is the depth of the image of a seed, to the bit."""
    found = np.load(io.BytesIO(reply.content), allow_pickle=False)
    here = GivenDepthEngine(lambda item: depth_of(item.rgb))
    item = frame(seed)
    expected = here.finish(here.infer([here.prepare(item, FrameOptions())])[0]).depth
    return found.dtype == np.float32 and found.tobytes() == expected.tobytes()
