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

"""ROS parameters, made from the one schema of settings."""

from __future__ import annotations

import logging
from typing import Any, Callable, Mapping

from depth_anything_ros.errors import ConfigError
from depth_anything_ros.ros.distro import OWN_PARAMETERS, OWN_PREFIXES, parameter_overrides
from depth_anything_ros.settings import (
    changed,
    describe,
    Setting,
    Settings,
    unknown,
    Value,
    values,
)
from depth_anything_ros.settings.per_camera import of_cameras, settings_of
from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.parameter import Parameter

logger = logging.getLogger(__name__)


def parameters() -> tuple[Setting, ...]:
    """Return the settings that are ROS parameters: all that still take effect once ROS runs."""
    return tuple(item for item in describe() if not item.name.startswith('process.'))


def given_to(node: Any, cameras: tuple[str, ...] = ()) -> dict[str, Value]:
    """
    Return what the command line and the parameter files give to the node.

    :param node: the node.
    :param cameras: names of the cameras where nothing else is given.
    :raises ConfigError: when a name is not a parameter; the text says what is.
    """
    given = parameter_overrides(node)
    known = {item.name: item for item in describe()}
    own = of_cameras(names_in(given.get('cameras', cameras)))
    known.update(own)
    open_to_ros = [*(item.name for item in parameters()), *own]
    for name in given:
        if name not in known:
            raise ConfigError(unknown(name, open_to_ros))
        if name not in open_to_ros:
            raise ConfigError(
                f'{name} takes effect before ROS starts: set the environment variable '
                f'{known[name].environment} instead')
    for name, value in given.items():
        # ROS reads an unquoted nan or inf as a number.
        if isinstance(value, float) and str(value) in known[name].choices:
            given[name] = str(value)
        # What [] becomes on its way through ROS, which cannot tell the type of an empty list.
        if value is None and isinstance(known[name].default, tuple):
            given[name] = ()
    return given


def names_in(cameras: object) -> tuple[str, ...]:
    """Return the names in a value of ``cameras`` that nobody has checked yet."""
    return tuple(cameras) if isinstance(cameras, (list, tuple)) and all(
        isinstance(name, str) for name in cameras) else ()


def declare(node: Any, item: Setting, value: Value) -> None:
    """
    Declare one parameter with its value, whatever the command line says.

    :param node: an rclpy node without a callback for changed parameters.
    :param item: what is known about the parameter.
    :param value: its value.
    """
    if value != ():
        node.declare_parameter(item.name, value, descriptor_of(item), ignore_override=True)
        return
    # rclpy takes an empty list for one of bytes: the type has to be said first.
    kind = Parameter.Type.STRING_ARRAY
    node.declare_parameter(item.name, kind, ignore_override=True)
    node.set_parameters([Parameter(item.name, kind, [])])
    descriptor = descriptor_of(item)
    descriptor.type = kind.value
    node.set_descriptor(item.name, descriptor)


def descriptor_of(item: Setting) -> ParameterDescriptor:
    """Return what ``ros2 param describe`` says about a setting."""
    unit = f' [{item.unit}]' if item.unit else ''
    descriptor = ParameterDescriptor(
        name=item.name, description=item.text + unit, read_only=item.read_only)
    if item.choices:
        descriptor.additional_constraints = 'one of: ' + ', '.join(item.choices)
    if item.low is not None and item.high is not None:
        if isinstance(item.default, float):
            descriptor.floating_point_range = [
                FloatingPointRange(from_value=float(item.low), to_value=float(item.high))]
        else:
            descriptor.integer_range = [
                IntegerRange(from_value=int(item.low), to_value=int(item.high), step=1)]
    return descriptor


class Parameters:
    """
    The current settings of a node, changed by ROS parameters as a whole snapshot.

    What may differ from camera to camera (``front.mount.height``) is a parameter from the moment
    that it is given; a camera that has none of its own follows the one of all cameras.
    """

    def __init__(
        self, node: Any, base: Settings, on_change: Callable[[Settings], None],
        accept: Callable[[Settings], None] = lambda settings: None,
    ) -> None:
        """
        Declare every setting as a parameter.

        :param node: the node; its command line and parameter files are taken over ``base``.
        :param base: values where ROS gives none.
        :param on_change: called with every new snapshot.
        :param accept: raises ConfigError for a snapshot that this machine cannot serve.
        :raises ConfigError: when a given parameter is unknown or not accepted.
        """
        given = given_to(node, base.cameras)
        own = of_cameras(names_in(given.get('cameras', base.cameras)))
        self._known_own = own
        self._own = {name: own[name].check(given.pop(name)) for name in list(given) if name in own}
        self._accept = accept
        self._settings = changed(base, given)
        self._of = self._cameras(self._settings, self._own)
        self._on_change = on_change
        for name, value in self._own.items():
            declare(node, own[name], value)
        current = values(self._settings)
        for item in parameters():
            declare(node, item, current[item.name])
        node.add_on_set_parameters_callback(self._set)

    @property
    def settings(self) -> Settings:
        """Return the newest snapshot."""
        return self._settings

    def of(self, camera: str) -> Settings:
        """
        Return the newest snapshot of one camera.

        :param camera: its name, empty where it has none.
        """
        return self._of[camera]

    def of_all(self) -> tuple[Settings, ...]:
        """Return the newest snapshots of all cameras."""
        return tuple(self._of.values())

    def _cameras(self, settings: Settings, own: Mapping[str, Value]) -> dict[str, Settings]:
        """Return what holds for each camera, if all of it can be accepted."""
        found = {camera: settings_of(settings, camera, own)
                 for camera in settings.cameras or ('',)}
        for each in (settings, *found.values()):
            self._accept(each)
        return found

    def _set(self, parameters: list[Any]) -> SetParametersResult:
        changes = {
            item.name: item.value for item in parameters
            if item.name not in OWN_PARAMETERS and not item.name.startswith(OWN_PREFIXES)}
        if not changes:
            return SetParametersResult(successful=True)
        try:
            own = {name: changes[name] for name in changes if name in self._known_own}
            for name in changes:
                if name not in own and name not in values(self._settings):
                    raise ConfigError(unknown(name, [*values(self._settings), *self._known_own]))
            settings = changed(self._settings, {
                name: value for name, value in changes.items() if name not in own})
            own = {**self._own, **own}
            of = self._cameras(settings, own)
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        self._settings, self._own, self._of = settings, own, of
        for name, value in changes.items():
            logger.info('%s is now %r', name, value)
        self._on_change(settings)
        return SetParametersResult(successful=True)
