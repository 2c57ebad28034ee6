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

"""What /diagnostics says, from a snapshot of the node."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
import math
from typing import Mapping, Sequence

from depth_anything_ros.ros.counting import Counts, Flow
from depth_anything_ros.service import DeviceStatus, memory_of
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

SILENCE = 3.0
"""Seconds without an image after which an active node warns."""

RANKS = (50, 95, 99)
"""The percentiles that are reported."""

NO_DEVICE = 'none'
"""The hardware id that diagnostic_updater asks for where there is no hardware."""

LOST_IMAGES = (
    'If the camera runs and sends images of more than 0.5 MB, Fast DDS loses them between '
    'processes: start the camera with FASTDDS_DEFAULT_PROFILES_FILE (before Kilted: '
    'FASTRTPS_DEFAULT_PROFILES_FILE) set to config/fastdds_large_images.xml of this package')


@dataclass(frozen=True)
class Health:
    """A snapshot of the node or of one camera, as far as diagnostics need it."""

    state: str
    counts: Counts
    before: Counts
    """The counts of the last report: what is new since then decides the level."""
    image_topic: str = ''
    publishers: int = 0
    hint: str = ''
    """What may help where nobody publishes."""
    silence: float = 0.0
    """Seconds since the last image, or since the camera was subscribed to."""
    idle: bool = False
    """Whether nobody reads any output, so that the camera is not subscribed to."""
    enabled: bool = True
    """Whether images are taken at all, see ~/enable."""
    load_error: str = ''
    last_error: str = ''
    warnings: tuple[str, ...] = ()
    degraded: str = ''
    """Why the model answers nothing now, though it will again by itself."""
    values: Mapping[str, str] = field(default_factory=dict)

    def counting(self, counts: Counts, before: Counts) -> Health:
        """Return the same with these counts."""
        return replace(self, counts=counts, before=before)


def diagnose(health: Health, name: str, hardware_id: str = '') -> DiagnosticStatus:
    """
    Return the status: ERROR where nothing comes out, WARN where something is not as it should be.

    :param health: the snapshot.
    :param name: of the status.
    :param hardware_id: the device that runs the model, empty while none is loaded.
    """
    level, message = judge(health)
    values = {'state': health.state, **health.values}
    values.update({key: str(value) for key, value in asdict(health.counts).items()})
    values['last error'] = health.last_error
    for index, warning in enumerate(health.warnings, 1):
        values[f'warning {index}'] = warning
    return DiagnosticStatus(
        level=level, name=name, message=message, hardware_id=hardware_id or NO_DEVICE,
        values=[KeyValue(key=key, value=value) for key, value in values.items()])


def judge(health: Health) -> tuple[bytes, str]:
    """Return the level and the one sentence that explains it."""
    counts, before = health.counts, health.before
    if health.load_error:
        return DiagnosticStatus.ERROR, health.load_error
    if health.state != 'active':
        return DiagnosticStatus.OK, health.state
    if health.degraded:
        return DiagnosticStatus.WARN, f'degraded: {health.degraded}'
    if counts.failed > before.failed:
        return DiagnosticStatus.ERROR, f'the model fails: {health.last_error}'
    if not health.enabled:
        return DiagnosticStatus.OK, 'active, but ~/enable was called with false: no images taken'
    if health.idle:
        return DiagnosticStatus.OK, 'active, idle: nobody subscribes to an output'
    if health.silence > SILENCE:
        seen = f'no image on {health.image_topic} for {health.silence:.0f} s'
        if health.publishers == 0:
            return DiagnosticStatus.WARN, f'{seen}: nobody publishes there{health.hint}'
        return DiagnosticStatus.WARN, (
            f'{seen}, though {health.publishers} publish(es) there. {LOST_IMAGES}')
    bad = counts.invalid + counts.no_camera_info - before.invalid - before.no_camera_info
    if bad:
        return DiagnosticStatus.WARN, f'{bad} images dropped: {health.last_error}'
    if health.warnings:
        return DiagnosticStatus.WARN, health.warnings[0]
    return DiagnosticStatus.OK, 'active'


def array_of(stamp: object, statuses: Sequence[DiagnosticStatus]) -> DiagnosticArray:
    """Return the message of /diagnostics."""
    message = DiagnosticArray(status=list(statuses))
    message.header.stamp = stamp
    return message


def rates(flow: Flow) -> dict[str, str]:
    """Return how fast and how late a camera's images are, for people."""
    found = {'images/s in': f'{flow.received.hertz():.2f}',
             'images/s out': f'{flow.published.hertz():.2f}'}
    for name, values in (('age at publish', flow.age), ('time in node', flow.latency)):
        for rank, value in zip(RANKS, values.percentiles(*RANKS)):
            found[f'{name} p{rank}'] = milliseconds(value)
    found['age at publish mean'] = milliseconds(flow.age.mean())
    found.update({f'of it {stage}': milliseconds(values.mean())
                  for stage, values in list(flow.stages.items())})
    found['images ahead of the clock'] = str(flow.ahead)
    return found


def summary(counts: Counts, flow: Flow) -> str:
    """Return the numbers of one camera in one line for the log."""
    p50, p95, p99 = (milliseconds(value) or '-' for value in flow.age.percentiles(*RANKS))
    dropped = ', '.join(f'{count} {reason}' for reason, count in counts.dropped.items())
    return (f'{flow.received.hertz():.1f} images/s in, {flow.published.hertz():.1f} out; '
            f'age at publish p50 {p50}, p95 {p95}, p99 {p99}; '
            f'{counts.published} of {counts.received} published, {counts.idle} not asked for, '
            f'dropped: {dropped or "none"}')


def memory(used: tuple[int, int] | None) -> str:
    """Return allocated and reserved device memory for people, empty on a CPU."""
    if used is None:
        return ''
    allocated, reserved = (value / 2**20 for value in used)
    return f'{allocated:.0f} MiB allocated, {reserved:.0f} MiB reserved'


def of_devices(devices: Sequence[DeviceStatus]) -> dict[str, str]:
    """Return what each of several devices does, for people."""
    found: dict[str, str] = {}
    for each in devices:
        found[f'{each.name} state'] = 'serving' if each.serving else f'out: {each.error}'
        found[f'{each.name} images/s'] = f'{each.rate:.2f}'
        found[f'{each.name} memory'] = memory(memory_of(each.device))
    return found


def milliseconds(seconds: float) -> str:
    """Return a duration for people, empty when it is not known."""
    return '' if math.isnan(seconds) else f'{seconds * 1e3:.1f} ms'
