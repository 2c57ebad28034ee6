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
from typing import Any, Callable

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


def given_to(node: Any) -> dict[str, Value]:
    """
    Return what the command line and the parameter files give to the node.

    :raises ConfigError: when a name is not a parameter; the text says what is.
    """
    given = parameter_overrides(node)
    known = {item.name: item for item in describe()}
    open_to_ros = [item.name for item in parameters()]
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
    """The current settings of a node, changed by ROS parameters as a whole snapshot."""

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
        self._settings = changed(base, given_to(node))
        accept(self._settings)
        self._on_change = on_change
        self._accept = accept
        current = values(self._settings)
        for item in parameters():
            declare(node, item, current[item.name])
        node.add_on_set_parameters_callback(self._set)

    @property
    def settings(self) -> Settings:
        """Return the newest snapshot."""
        return self._settings

    def _set(self, parameters: list[Any]) -> SetParametersResult:
        changes = {
            item.name: item.value for item in parameters
            if item.name not in OWN_PARAMETERS and not item.name.startswith(OWN_PREFIXES)}
        if not changes:
            return SetParametersResult(successful=True)
        try:
            settings = changed(self._settings, changes)
            self._accept(settings)
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        self._settings = settings
        for name, value in changes.items():
            logger.info('%s is now %r', name, value)
        self._on_change(settings)
        return SetParametersResult(successful=True)
