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

"""What differs between Humble, Jazzy and Kilted, in one place."""

from __future__ import annotations

import inspect
from typing import Any, Callable

from rclpy.clock import Clock, ClockType

try:
    from rclpy.event_handler import PublisherEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import PublisherEventCallbacks
from rclpy.task import Future

# Declared by rclpy itself in some distro, so not ours to refuse.
OWN_PARAMETERS = ('use_sim_time', 'start_type_description_service')
OWN_PREFIXES = ('qos_overrides.',)

READERS_ARE_POLLED = 'matched' not in inspect.signature(PublisherEventCallbacks).parameters
"""Whether rclpy does not say when somebody subscribes to a publisher of ours (Humble)."""


def parameter_overrides(node: Any) -> dict[str, Any]:
    """
    Return the parameters that the command line and the parameter files give to a node.

    rclpy has no public way to see those that are never declared, in any distro.

    :param node: an rclpy node.
    :returns: plain values by name, without those that belong to rclpy.
    """
    return {
        name: parameter.value for name, parameter in node._parameter_overrides.items()
        if name not in OWN_PARAMETERS and not name.startswith(OWN_PREFIXES)}


def steady_timer(node: Any, period: float, callback: Callable[[], None]) -> Any:
    """
    Return a timer that runs by the wall, also when use_sim_time is set and no clock comes.

    :param node: an rclpy node.
    :param period: seconds.
    :param callback: called in the executor's thread.
    """
    return node.create_timer(period, callback, clock=Clock(clock_type=ClockType.STEADY_TIME))


def on_matched(callback: Callable[[], None]) -> dict[str, Any]:
    """
    Return the arguments of a publisher that calls back when a subscription comes or goes.

    :param callback: called in the executor's thread.
    :returns: nothing where ``READERS_ARE_POLLED``.
    """
    if READERS_ARE_POLLED:
        return {}
    return {'event_callbacks': PublisherEventCallbacks(matched=lambda event: callback())}


def poll_readers(node: Any, callback: Callable[[], None], others: bool = False) -> Any:
    """
    Return a timer that stands in for :func:`on_matched`, None where that works.

    :param node: an rclpy node.
    :param callback: called some times a second, in the executor's thread.
    :param others: whether there may be readers that ROS does not know of.
    """
    return steady_timer(node, 0.2, callback) if READERS_ARE_POLLED or others else None


def destroy_state_machine(node: Any) -> None:
    """
    Destroy what rclpy's life cycle node forgets in its ``destroy_node`` (rclpy 3.3 to 9.1).

    Without it the node's part of the middleware, with its shared memory, lives as long as the
    interpreter.

    :param node: a life cycle node that was destroyed.
    """
    machine = getattr(node, '_state_machine', None)
    if machine is not None:
        machine.destroy_when_not_in_use()


async def resumed(executor: Any, source: Any) -> Any:
    """
    Wait in a coroutine of an executor for a future that another thread completes.

    An executor looks at a waiting coroutine each time it wakes, and a future that is completed in
    another thread does not wake it by itself (rclpy 3.3 to 9.1): so it is woken, and sleeps until
    then.

    :param executor: the executor that runs this coroutine.
    :param source: a ``concurrent.futures.Future``.
    :returns: its result.
    :raises Exception: whatever the future was failed with.
    """
    done: Any = Future(executor=executor)

    def complete(_: Any) -> None:
        done.set_result(None)
        executor.wake()

    source.add_done_callback(complete)
    await done
    return source.result()
