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

"""
Replicas of the engine by Ray Serve, and the service of a gateway in front of them.

``serve deploy deploy/ray_serve.yaml`` asks :func:`app` for the application; ``depth-anything serve
--ray`` deploys the same on a Ray of its own.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
import logging
import os
import secrets
import socket
import time
from typing import Any, Callable, Iterator, Mapping

from depth_anything_ros.engine.base import Engine
from depth_anything_ros.errors import ConfigError, ModelLoadFailed
from depth_anything_ros.remote.ray_engine import RayEngine
from depth_anything_ros.remote.ray_network import MEET_S, RayNetwork
from depth_anything_ros.remote.ray_runner import RayRunner
from depth_anything_ros.remote.replica import Replica
from depth_anything_ros.service import DepthService, load_engine
from depth_anything_ros.settings import changed, Settings
import ray
from ray import serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException

logger = logging.getLogger(__name__)

APPLICATION, DEPLOYMENT = 'depth_anything', 'Depth'
"""Names under which a gateway finds the replicas."""

OBJECT_STORE_BYTES = 2**30
"""Shared memory of a Ray of our own: images and maps on their way."""

PERIOD_S = 0.5
"""Seconds between two looks at an application that is not there yet."""

BOUNDS: Mapping[str, Any] = {
    'max_ongoing_requests': 8, 'max_queued_requests': 32, 'health_check_period_s': 10.0,
    'health_check_timeout_s': 30.0, 'graceful_shutdown_wait_loop_s': 0.5,
    'graceful_shutdown_timeout_s': 20.0,
    'logging_config': {'log_level': 'WARNING', 'enable_access_log': False}}
"""
What a replica works on, what waits in front of all, how it is tested and ended, what it logs.

``ongoing`` is twice the largest batch: one on the device, one that gathers meanwhile.
"""


def app(arguments: Mapping[str, Any]) -> serve.Application:
    """
    Return the application of ``deploy/ray_serve.yaml``.

    :param arguments: settings by name (``model.name: da3-small``); what a deployment has beside
        them (replicas, queues, GPUs) stands in the file's ``deployments``.
    :raises ConfigError: when one is unknown or not accepted.
    """
    settings = changed(Settings(), arguments)
    return application(partial(load_engine, settings), settings)


def application(
    load: Callable[[], Engine], settings: Settings, **options: Any,
) -> serve.Application:
    """
    Return replicas of an engine as an application.

    :param load: returns the engine, warm; called in every replica.
    :param settings: ``model.max_batch`` and ``model.batch_window`` are used.
    :param options: of ``serve.deployment``, over :data:`BOUNDS`.
    """
    deployment = serve.deployment(Replica).options(name=DEPLOYMENT, **{**BOUNDS, **options})
    return deployment.bind(load, settings.model.max_batch, settings.model.batch_window / 1000)


@contextmanager
def cluster(
    address: str, replicas: int, models: int = 1,
) -> Iterator[Callable[[Settings], DepthService]]:
    """
    Join a cluster, or start one on this machine, for the time of the block.

    :param address: of the cluster, such as host:6379 or auto, whose application is used; '': one
        of our own, of this machine alone.
    :param replicas: how many each model gets there.
    :param models: how many models there will be.
    :returns: what opens the service of a model.
    :raises ConfigError: when there is no such cluster.
    """
    os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')
    try:
        if address:
            check_there(address)
            ray.init(address=address, logging_level=logging.WARNING)
        else:
            # Its ports listen on every interface: nobody is let in without this.
            os.environ.setdefault('RAY_AUTH_TOKEN', secrets.token_hex(32))
            ray.init(
                address='local', num_cpus=max(os.cpu_count() or 1, replicas * models),
                include_dashboard=False, object_store_memory=OBJECT_STORE_BYTES,
                logging_level=logging.WARNING)
            serve.start(proxy_location='Disabled')
    except (RayError, OSError, RuntimeError, ValueError) as error:
        ray.shutdown()
        raise ConfigError(f'no Ray at {address or "this machine"}: {error}') from error
    names = iter([APPLICATION, *(f'{APPLICATION}-{number}' for number in range(2, models + 1))])
    try:
        if address:
            yield lambda settings: joined(settings, next(names))
        else:
            yield lambda settings: deployed(
                partial(load_engine, settings), settings, next(names), num_replicas=replicas,
                ray_actor_options=share(settings, replicas * models))
    finally:
        if not address:
            serve.shutdown()
        ray.shutdown()


def check_there(address: str) -> None:
    """
    Refuse an address at which nobody listens: Ray would try it for minutes.

    :param address: HOST:PORT; of any other form only Ray knows the meaning.
    :raises OSError: when nobody listens there.
    """
    host, _, port = address.rpartition(':')
    if host and port.isdecimal() and '/' not in host:
        socket.create_connection((host, int(port)), MEET_S).close()


def share(settings: Settings, parts: int) -> dict[str, float]:
    """Return what of the cluster's processors and GPUs one of so many replicas gets."""
    resources = ray.cluster_resources()
    found = {'num_cpus': max(1.0, resources.get('CPU', 1.0) // parts)}
    gpus = resources.get('GPU', 0.0)
    if gpus and settings.model.device != 'cpu':
        # Whole ones where there are enough; else several replicas share one.
        found['num_gpus'] = gpus // parts if gpus >= parts else gpus / parts
    return found


def deployed(
    load: Callable[[], Engine], settings: Settings, name: str = APPLICATION, **options: Any,
) -> DepthService:
    """
    Deploy replicas of an engine, wait for them and return the service that asks them.

    :param load: as of :func:`application`, as are the options.
    :param settings: ``model.queue_size`` bounds the requests under way.
    :param name: of the application.
    :raises ModelLoadFailed: when the replicas do not start.
    """
    try:
        handle = serve.run(application(load, settings, **options), name=name, route_prefix=None)
        return service_of(handle, settings)
    except (RayError, RayServeException, RuntimeError, TimeoutError) as error:
        raise ModelLoadFailed(f'the replicas of {settings.model.name} did not start: {error}'
                              ) from error


def joined(settings: Settings, name: str = APPLICATION) -> DepthService:
    """
    Return the service that asks the replicas of an application that somebody deployed.

    :param settings: ``engine.wait`` is the time to wait for it.
    :param name: of the application.
    :raises ModelLoadFailed: when it is not there then.
    """
    until = time.monotonic() + settings.engine.wait
    while True:
        try:
            return service_of(serve.get_deployment_handle(DEPLOYMENT, name), settings)
        except (RayError, RayServeException, TimeoutError) as error:
            if time.monotonic() >= until:
                raise ModelLoadFailed(
                    f'the application {name} cannot be used: {error}; is it deployed? '
                    '(serve deploy deploy/ray_serve.yaml)') from error
            time.sleep(PERIOD_S)


def service_of(handle: Any, settings: Settings) -> DepthService:
    """Return the service that asks the replicas behind a handle."""
    engine = RayEngine(RayNetwork(handle))
    return DepthService(engine, max_megapixels=settings.reconstruction.max_megapixels,
                        runner=RayRunner(engine, queue_size=settings.model.queue_size))
