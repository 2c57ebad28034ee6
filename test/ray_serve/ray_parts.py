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
import os
import signal
import time

from bridge_parts import depth_of, picture
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.settings import changed, Settings

PATIENCE_S = 60.0
ONE_CPU = {'num_cpus': 1}


class Given(GivenDepthEngine):
    """Takes a constant time for a call, however many images."""

    def __init__(self, delay=0.0, model='given'):
        super().__init__(lambda frame: depth_of(frame.rgb), delay=delay, model=model)


def given(delay=0.0, model='given'):
    """Return what loads such an engine."""
    return partial(Given, delay, model)


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


def processes_of(name='depth_anything'):
    """Return the process ids of an application's replicas, as Serve's own list has them."""
    from ray.util.state import list_actors
    return [actor.pid for actor in list_actors(filters=[('state', '=', 'ALIVE')])
            if actor.name.startswith(f'SERVE_REPLICA::{name}#')]


def kill(pid):
    os.kill(pid, signal.SIGKILL)
