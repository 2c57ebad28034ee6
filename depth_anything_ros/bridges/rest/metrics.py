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

"""Numbers for Prometheus and for the dashboard: requests, stages, the queue, the ROS streams."""

from __future__ import annotations

from collections import deque
import time
from typing import Callable, Iterable, Iterator, Mapping, Sequence

from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import MissingDependency
from depth_anything_ros.service import DepthService, memory_of

try:
    from prometheus_client import CollectorRegistry, Counter, Histogram
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
except ImportError as error:
    raise MissingDependency(
        'the REST bridge needs prometheus_client: pip install "depth_anything_ros[rest]"'
    ) from error

PREFIX = 'depth_anything_'

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
           30.0)
"""Seconds: from the copy of a small picture to a large model on a CPU."""

STAGES: Mapping[str, tuple[str, ...]] = {
    'queue': ('wait_prepare', 'wait_infer', 'wait_finish'), 'preprocess': ('prepare',),
    'infer': ('infer',), 'finish': ('finish',)}
"""Our stages, and the timings of a result that each is made of."""

OUTCOMES = ('done', 'failed', 'expired', 'cancelled', 'refused')

RECENT = 512
"""Requests from which the dashboard's percentiles are computed."""


class Metrics:
    """What one server has done."""

    def __init__(self, services: Callable[[], Sequence[DepthService]]) -> None:
        """
        Begin at zero.

        :param services: returns the services, none while the model is loading.
        """
        self.registry = CollectorRegistry()
        self.recent: deque[tuple[float, float]] = deque(maxlen=RECENT)
        """When each of the last requests ended, and the seconds that it took."""
        self._services = services
        self._requests = Counter(
            f'{PREFIX}http_requests', 'HTTP requests by route, method and status.',
            ('route', 'method', 'status'), registry=self.registry)
        self._seconds = Histogram(
            f'{PREFIX}http_request_seconds', 'Time from the header of a request to its reply.',
            ('route',), registry=self.registry, buckets=BUCKETS)
        self._stages = Histogram(
            f'{PREFIX}stage_seconds',
            'Time of one picture in each stage: decode, queue, preprocess, infer, finish, encode.',
            ('stage',), registry=self.registry, buckets=BUCKETS)
        self._stage_of: dict[str, Histogram] = {}
        self._routes: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.registry.register(self)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request that is over."""
        known = self._routes.get((route, method, status))
        if known is None:
            # labels() looks its answer up behind a lock; a route and a status are few.
            known = self._routes[route, method, status] = (
                self._requests.labels(route, method, str(status)), self._seconds.labels(route))
        known[0].inc()
        known[1].observe(seconds)
        if route.startswith('/v1/') and method == 'POST' or route in ('/pc', '/metric_depth',
                                                                      '/rel_depth'):
            self.recent.append((time.time(), seconds))

    def stage(self, name: str, seconds: float) -> None:
        """Count the time of one picture in a stage."""
        stage = self._stage_of.get(name)
        if stage is None:
            stage = self._stage_of[name] = self._stages.labels(name)
        stage.observe(seconds)

    def result(self, result: DepthResult) -> None:
        """Count the stages inside the service."""
        for stage, parts in STAGES.items():
            found = [result.timings[part] for part in parts if part in result.timings]
            if found:
                self.stage(stage, sum(found))

    def collect(self) -> Iterator[Metric]:
        """Yield what the services count; called by the registry."""
        services = self._services()
        yield gauge('ready', 'Whether the model is loaded.', [((), float(bool(services)))])
        if not services:
            return
        service = services[0]
        seen = service.statistics()
        if len(services) > 1:
            each = [(one.info.model, one.statistics()) for one in services]
            yield counter('model_requests', 'Requests of each model by outcome; what names no '
                          'model is of the first one.', [
                              ((model, name), getattr(found, name)) for model, found in each
                              for name in OUTCOMES], ('model', 'outcome'))
            yield gauge('model_queue_under_way', 'Requests of each model under way.', [
                ((model,), found.under_way) for model, found in each], ('model',))
        yield gauge('queue_size', 'Requests that may be under way.', [((), seen.queue_size)])
        yield gauge('queue_under_way', 'Requests under way.', [((), seen.under_way)])
        yield gauge('queue_waiting', 'Pictures in front of each stage.', zip(
            (('prepare',), ('infer',), ('finish',)), seen.waiting), ('stage',))
        yield counter('requests', 'Requests of all bridges by outcome.', [
            ((name,), getattr(seen, name)) for name in OUTCOMES], ('outcome',))
        yield counter('batches', 'Calls of the network by the pictures in each.', [
            ((str(size),), count) for size, count in seen.batches.items()], ('size',))
        yield counter('infer_busy_seconds', 'Time of the network.', [((), seen.busy_s)])
        streams = service.watchers.streams()
        yield counter('stream_frames', 'Frames of the cameras by what became of them.', [
            ((name, outcome), getattr(stream.counts(), outcome))
            for name, stream in streams.items()
            for outcome in ('received', 'done', 'failed', 'dropped')], ('stream', 'outcome'))
        devices = service.devices()
        if devices:
            yield gauge('device_up', 'Whether a device serves, 0 while it is taken out.', [
                ((each.name,), float(each.serving)) for each in devices], ('device',))
            yield counter('device_images', 'Pictures that a device has inferred.', [
                ((each.name,), each.images) for each in devices], ('device',))
            yield counter('device_busy_seconds', 'Time of the network on a device.', [
                ((each.name,), each.busy_s) for each in devices], ('device',))
            yield gauge('device_load', 'Pictures that a device has to do now.', [
                ((each.name,), each.load) for each in devices], ('device',))
            yield gauge('device_memory_each_bytes', 'Memory of each of several devices.', [
                ((each.name, kind), value) for each in devices
                for kind, value in zip(('allocated', 'reserved'), memory_of(each.device) or ())],
                ('device', 'kind'))
        memory = service.device_memory()
        if memory is not None:
            yield gauge('device_memory_bytes', 'Memory of the device.', zip(
                (('allocated',), ('reserved',)), memory), ('kind',))

    def latencies(self) -> list[float]:
        """Return the seconds of the last requests, sorted."""
        return sorted(seconds for _, seconds in self.recent)


def gauge(
    name: str, text: str, values: Iterable[tuple[tuple[str, ...], float]],
    labels: tuple[str, ...] = (),
) -> Metric:
    """Return a number that goes up and down, by the values of its labels."""
    family = GaugeMetricFamily(PREFIX + name, text, labels=labels)
    for keys, value in values:
        family.add_metric(keys, value)
    return family


def counter(
    name: str, text: str, values: Iterable[tuple[tuple[str, ...], float]],
    labels: tuple[str, ...] = (),
) -> Metric:
    """Return a number that only goes up, by the values of its labels."""
    family = CounterMetricFamily(PREFIX + name, text, labels=labels)
    for keys, value in values:
        family.add_metric(keys, value)
    return family
