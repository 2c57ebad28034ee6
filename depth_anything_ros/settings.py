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
Every setting once: frozen dataclasses whose fields carry text, unit, range and choices.

ROS parameters, command line flags, YAML files, environment variables and the documents' tables
are all made from :func:`describe`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
import difflib
from typing import Any, Iterable, Mapping

from depth_anything_ros.errors import ConfigError

Value = bool | int | float | str


def setting(
    default: Value, text: str, *, unit: str = '', low: float | None = None,
    high: float | None = None, choices: tuple[str, ...] = (), read_only: bool = False,
    environment: str = '',
) -> Any:
    """Return a dataclass field with all that is known about a setting."""
    return field(default=default, metadata={
        'text': text, 'unit': unit, 'low': low, 'high': high, 'choices': choices,
        'read_only': read_only, 'environment': environment})


@dataclass(frozen=True)
class ModelSettings:
    """Which network runs where; fixed once the model is loaded."""

    name: str = setting(
        'da3metric-large', 'Model name, or a local directory or .safetensors file.',
        read_only=True, environment='DEPTH_ANYTHING_MODEL')
    architecture: str = setting(
        '', 'Model name whose network fits a .safetensors file without a config.json.',
        read_only=True)
    download: bool = setting(
        False, 'Fetch the weights from the model hub at start when they are not on this machine.',
        read_only=True)
    device: str = setting(
        'auto', 'auto, cuda, cuda:N or cpu. auto takes CUDA where it is there.',
        read_only=True, environment='DEPTH_ANYTHING_DEVICE')
    precision: str = setting(
        'auto', 'Arithmetic of the backbone. auto: fp32 on a CPU, bf16 or fp16 on CUDA.',
        choices=('auto', 'fp32', 'bf16', 'fp16'), read_only=True)
    queue_size: int = setting(
        4, 'Requests (service calls, bridges) that may wait; one more is answered busy.',
        low=1, high=1024, read_only=True)


@dataclass(frozen=True)
class DepthSettings:
    """How a frame is processed and what counts as a valid depth."""

    process_res: int = setting(
        0, "Side of the processed image that process_res_method names; 0: the model's own.",
        unit='px', low=0, high=4096)
    process_res_method: str = setting(
        'upper_bound_resize', 'Side that gets process_res, and how the other is made to fit.',
        choices=('upper_bound_resize', 'upper_bound_crop', 'lower_bound_resize',
                 'lower_bound_crop'))
    minimum: float = setting(
        0.0, 'Nearer depths are invalid.', unit='m', low=0.0, high=1000.0)
    maximum: float = setting(
        200.0, 'Farther depths are invalid.', unit='m', low=0.01, high=100000.0)


@dataclass(frozen=True)
class CameraSettings:
    """Where the focal length comes from."""

    pairing: str = setting(
        'exact', "exact: the CameraInfo with the image's stamp; latest: the newest one.",
        choices=('exact', 'latest'))
    focal_length: float = setting(
        0.0, "Focal length of an uncalibrated camera's image; 0: not given.",
        unit='px', low=0.0, high=1e6)
    fov_deg: float = setting(
        0.0, 'Horizontal field of view of an uncalibrated camera; 0: not given.',
        unit='deg', low=0.0, high=179.0)


@dataclass(frozen=True)
class NodeSettings:
    """How the ROS node behaves."""

    autostart: bool = setting(
        True, 'Configure and activate at start, without a life cycle manager.', read_only=True)
    input_reliability: str = setting(
        'best_effort', 'Reliability of the image and camera_info subscriptions.',
        choices=('best_effort', 'reliable'), read_only=True)
    diagnostics_period: float = setting(
        1.0, 'Seconds between two messages on /diagnostics.', unit='s', low=0.1, high=3600.0)


@dataclass(frozen=True)
class ProcessSettings:
    """Process-wide tuning, done before rclpy and torch start."""

    tune_malloc: bool = setting(
        True, 'Keep big buffers in the heap instead of mapping them anew for every frame.',
        read_only=True, environment='DEPTH_ANYTHING_TUNE_MALLOC')
    fastdds_profile: bool = setting(
        True, 'Use the shipped Fast DDS profile for large images where none is set.',
        read_only=True, environment='DEPTH_ANYTHING_FASTDDS_PROFILE')


@dataclass(frozen=True)
class Settings:
    """All settings of a running system, immutable; a change makes a new snapshot."""

    model: ModelSettings = field(default_factory=ModelSettings)
    depth: DepthSettings = field(default_factory=DepthSettings)
    camera: CameraSettings = field(default_factory=CameraSettings)
    node: NodeSettings = field(default_factory=NodeSettings)
    process: ProcessSettings = field(default_factory=ProcessSettings)


@dataclass(frozen=True)
class Setting:
    """One setting as every face of it needs: dotted name, default and what is accepted."""

    name: str
    default: Value
    text: str
    unit: str = ''
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    read_only: bool = False
    environment: str = ''

    def check(self, value: object) -> Value:
        """
        Return the value in the setting's own type.

        An int is accepted where a float is meant; nothing else is converted.

        :raises ConfigError: when the type, the range or the choice is wrong.
        """
        kind = type(self.default)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not kind:
            raise ConfigError(f'{self.name} must be {kind.__name__}, seen '
                              f'{type(value).__name__} {value!r}')
        assert isinstance(value, (bool, int, float, str))
        if self.choices and value not in self.choices:
            raise ConfigError(f'{self.name} must be one of {", ".join(self.choices)}; '
                              f'seen {value!r}')
        if self.low is not None and self.high is not None:
            assert isinstance(value, (int, float))
            if not self.low <= value <= self.high:
                raise ConfigError(f'{self.name} must be from {self.low:g} to {self.high:g}'
                                  f'{" " + self.unit if self.unit else ""}; seen {value!r}')
        return value


def describe() -> tuple[Setting, ...]:
    """Return every setting in the order of the classes above."""
    found = []
    for group in fields(Settings):
        factory = group.default_factory
        assert callable(factory)
        for item in fields(factory()):
            default: Any = item.default
            found.append(Setting(f'{group.name}.{item.name}', default, **item.metadata))
    return tuple(found)


def lookup(name: str) -> Setting:
    """
    Return the setting of a dotted name.

    :raises ConfigError: when there is none; the text names the nearest one.
    """
    known = {item.name: item for item in describe()}
    if name not in known:
        raise ConfigError(unknown(name, known))
    return known[name]


def unknown(name: str, known: Iterable[str]) -> str:
    """Return the sentence for a name that is not known, with the nearest one that is."""
    near = difflib.get_close_matches(name, list(known), 1, 0.5)
    return f'{name!r} is not a known setting' + (f'; did you mean {near[0]!r}?' if near else '')


def values(settings: Settings) -> dict[str, Value]:
    """Return all values by dotted name."""
    return {item.name: getattr(getattr(settings, item.name.partition('.')[0]),
                               item.name.partition('.')[2]) for item in describe()}


def changed(settings: Settings, changes: Mapping[str, object]) -> Settings:
    """
    Return a new snapshot with some values changed, checked one by one and as a whole.

    :param settings: the snapshot to start from.
    :param changes: new values by dotted name.
    :raises ConfigError: when a name is unknown or a value not accepted; nothing is changed then.
    """
    groups: dict[str, dict[str, Value]] = {}
    for name, value in changes.items():
        group, _, key = name.partition('.')
        groups.setdefault(group, {})[key] = lookup(name).check(value)
    parts: dict[str, Any] = {}
    for group, new in groups.items():
        parts[group] = replace(getattr(settings, group), **new)
    result = replace(settings, **parts)
    if not result.depth.minimum < result.depth.maximum:
        raise ConfigError(f'depth.minimum ({result.depth.minimum:g} m) must be smaller than '
                          f'depth.maximum ({result.depth.maximum:g} m)')
    return result
