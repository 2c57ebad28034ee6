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

"""The life cycle node: camera topics in, metric depth and point clouds out."""

from __future__ import annotations

from concurrent.futures import Future, wait
from functools import partial
import logging
from typing import Any, Callable

from depth_anything_ros.errors import DepthAnythingError, NotReady
from depth_anything_ros.ros.background import in_background
from depth_anything_ros.ros.camera import Camera
from depth_anything_ros.ros.companions import Companions, Make
from depth_anything_ros.ros.counting import Counts
from depth_anything_ros.ros.diagnostics import Health, memory, of_devices
from depth_anything_ros.ros.distro import destroy_state_machine, poll_readers, steady_timer
from depth_anything_ros.ros.loads import CLOSE_TIMEOUT, Loads
from depth_anything_ros.ros.monitor import Monitor
from depth_anything_ros.ros.outputs import offers
from depth_anything_ros.ros.parameters import Parameters
from depth_anything_ros.ros.reporting import Reporter
from depth_anything_ros.ros.services import SERVICES
from depth_anything_ros.ros.transforms import check_transforms, Transforms
from depth_anything_ros.service import DepthService, open_service
from depth_anything_ros.settings import Settings
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

logger = logging.getLogger(__name__)


class DepthNode(LifecycleNode):  # type: ignore[misc]
    """
    The node ``depth_anything``.

    ``exit_code`` is None while the process shall go on, else what it shall end with. ``cameras``
    are those of the setting, one without a name where that is empty.
    """

    def __init__(
        self, *, open_service: Callable[[Settings], DepthService] = open_service,
        companions: Make = lambda settings: {}, base: Settings | None = None, **arguments: Any,
    ) -> None:
        """
        Make the node; with ``node.autostart`` the model begins to load when the node spins.

        :param open_service: loads the model; called in a thread of its own.
        :param companions: makes servers that share the model, by name.
        :param base: settings where parameters say nothing; default: the schema's.
        :param arguments: handed on to rclpy's node.
        :raises ConfigError: when a given parameter is unknown or not accepted.
        """
        # Before rclpy's: it destroys a node that refuses its parameters, and that needs these.
        self.exit_code: int | None = None
        self._open_service = open_service
        self._state = 'unconfigured'
        self._load_error = ''
        self.loads = Loads()
        self._loading: Future[DepthService] | None = None
        self._service: DepthService | None = None
        self._companions = Companions(companions)
        self.cameras: tuple[Camera, ...] = ()
        self._servers: list[Any] = []
        self._transforms: Transforms | None = None
        self._enabled = True
        # Undeclared ones are allowed only to be refused with the nearest name: by Parameters.
        super().__init__('depth_anything', allow_undeclared_parameters=True, **arguments)
        self._snapshot = Parameters(
            self, base or Settings(), self._apply, check_transforms)
        self._reporter = Reporter(self.get_logger())
        self._transforms = Transforms(self, self._snapshot.of_all)
        self.cameras = tuple(
            Camera(self, name, partial(self._snapshot.of, name), self._reporter,
                   self._transforms, self._companions)
            for name in self.settings.cameras or ('',))
        self._servers = [serve(self) for serve in SERVICES]
        self._monitor = Monitor(self, self._health)
        self._readers_timer = poll_readers(self, self._refresh, self.settings.bridges.pub.enabled)
        self._autostart_timer: Any = None
        if self.settings.node.autostart:
            self._autostart_timer = steady_timer(self, 0.05, self._autostart)

    @property
    def settings(self) -> Settings:
        """Return the newest snapshot of the settings."""
        return self._snapshot.settings

    def settings_of(self, camera: str) -> Settings:
        """
        Return the newest snapshot of the settings of one camera.

        :param camera: its name, empty where it has none.
        """
        return self._snapshot.of(camera)

    @property
    def state(self) -> str:
        """Return unconfigured, loading, inactive, active or finalized."""
        return self._state

    def addresses(self) -> dict[str, str]:
        """Return where the servers beside the topics are reached, by name."""
        return self._companions.addresses()

    def counts(self) -> Counts:
        """Return what became of all images of all cameras since the node was made."""
        return sum((camera.counts() for camera in self.cameras), Counts())

    def serving(self) -> DepthService:
        """
        Return what serves requests now.

        :raises NotReady: when the node is not active.
        """
        if self._service is None or self._state != 'active':
            raise NotReady(f'the node is not active, it is {self._state}')
        return self._service

    @property
    def loaded(self) -> DepthService | None:
        """Return what is loaded, whatever the state."""
        return self._service

    def load(self, settings: Settings) -> Future[DepthService]:
        """
        Begin to load a model.

        :param settings: say which one, and how.
        :returns: what ``loads.take`` wants.
        """
        return self.loads.begin(lambda: self._open_service(settings))

    def use(self, service: DepthService) -> None:
        """
        Go on with another model; the one before is freed when its last frame is out.

        :param service: a warm one, this node's from now on.
        """
        before, self._service = self._service, service
        active = self._state == 'active'
        for camera in self.cameras:
            camera.deactivate()
            if before is None or offers(before.info) != offers(service.info):
                camera.clean_up()
                camera.configure(service.info, active=active)
            if active:
                camera.activate(service)
        self._companions.serve(service, self.settings)
        logger.info('%s is used from now on', service.info.model)
        if before is not None:
            in_background(before.close, 'depth-close')

    def enable(self, enabled: bool) -> None:
        """Take images, or leave them with the model loaded, until this is called again."""
        self._enabled = enabled
        for camera in self.cameras:
            camera.enable(enabled)

    def reset_statistics(self) -> None:
        """Begin counts, rates, delays and the last error anew."""
        self._reporter.forget()
        for camera in self.cameras:
            camera.reset()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model and create the publishers."""
        return self._step(self._configure, super().on_configure, state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe and begin to publish."""
        return self._step(self._activate, super().on_activate, state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe; the model stays loaded."""
        return self._step(self._deactivate, super().on_deactivate, state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the model and its memory."""
        return self._step(self._clean_up, super().on_cleanup, state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything for good."""
        result = self._step(self._clean_up, super().on_shutdown, state)
        self._give_up_loading()
        self._state = 'finalized'
        return result

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything, so that the node can be configured again."""
        return self._step(self._clean_up, super().on_error, state)

    def close(self) -> bool:
        """
        Stop everything in order.

        :returns: False when a model is still loading, which nothing can interrupt.
        """
        self._clean_up()
        return self._give_up_loading()

    def destroy_node(self) -> Any:
        """Stop everything, then destroy what belongs to rclpy."""
        self.close()
        result = super().destroy_node()
        destroy_state_machine(self)
        return result

    def _step(
        self, ours: Callable[[], None],
        theirs: Callable[[LifecycleState], TransitionCallbackReturn], state: LifecycleState,
    ) -> TransitionCallbackReturn:
        """Do a transition; rclpy itself would swallow the reason of a failure."""
        try:
            ours()
        except DepthAnythingError as error:
            self.get_logger().error(str(error))
            return TransitionCallbackReturn.FAILURE
        except Exception as error:
            logger.exception('transition from %s failed', state.label)
            self._load_error = self._load_error or f'{type(error).__name__}: {error}'
            return TransitionCallbackReturn.FAILURE
        return theirs(state)

    def _load(self) -> Future[DepthService]:
        self._state, self._load_error = 'loading', ''
        logger.info('loading %s', self.settings.model.name)
        self._loading = self.load(self.settings)
        return self._loading

    def _give_up_loading(self) -> bool:
        """Let go of what is being loaded; False when something is still loading."""
        self._loading = None
        return self.loads.give_up()

    def _loaded(self) -> DepthService:
        """Return the service, waiting for it, but not longer than the process shall live."""
        loading = self._loading or self._load()
        while not loading.done():
            wait([loading], timeout=0.1)
            if not self.context.ok():
                self._give_up_loading()
                raise NotReady('shut down while the model was loading')
        self._loading = None
        return self.loads.take(loading)

    def _configure(self) -> None:
        try:
            service = self._loaded()
        except Exception as error:
            self._state = 'unconfigured'
            self._load_error = f'{self.settings.model.name} was not loaded: {error}'
            raise
        info = service.info
        logger.info(
            '%s (%s, weights under %s) on %s in %s', info.model, info.kind.value, info.licence,
            info.device, info.precision)
        self._service = service
        try:
            for camera in self.cameras:
                camera.configure(info)
            self._companions.serve(service, self.settings)
        except Exception:
            self._clean_up()
            raise
        self._state = 'inactive'

    def _activate(self) -> None:
        assert self._service is not None
        for camera in self.cameras:
            camera.activate(self._service)
            assert camera.input is not None
            logger.info(
                'active: %s and %s in, while an output has a reader',
                camera.input.topics.image_topic, camera.input.topics.info_topic)
        self._state = 'active'

    def _deactivate(self) -> None:
        for server in self._servers:
            if hasattr(server, 'close'):
                server.close()
        for camera in self.cameras:
            camera.deactivate()
        if self._transforms is not None:
            self._transforms.close()
        self._state = 'inactive'

    def _clean_up(self) -> None:
        self._deactivate()
        self._companions.close()
        service, self._service = self._service, None
        if service is not None:
            service.close(CLOSE_TIMEOUT)
        for camera in self.cameras:
            camera.clean_up()
        self._state = 'unconfigured'

    def _autostart(self) -> None:
        if self._state == 'unconfigured' and self._loading is None:
            self._load()
        if self._loading is not None and not self._loading.done():
            return
        self._autostart_timer.cancel()
        if self._state != 'loading':  # somebody else drives the life cycle
            return
        for transition in (self.trigger_configure, self.trigger_activate):
            if transition() != TransitionCallbackReturn.SUCCESS:
                self.exit_code = 1
                return

    def _refresh(self) -> None:
        for camera in self.cameras:
            camera.refresh()

    def _apply(self, settings: Settings) -> None:
        self._monitor.apply(settings)

    def _health(self) -> Health:
        service = self._service
        values = dict(self._companions.addresses())
        if service is not None:
            info = service.info
            values.update({
                'model': info.model, 'kind': info.kind.value, 'licence': info.licence,
                'device': info.device, 'precision': info.precision,
                'acceleration': info.acceleration,
                'device memory': memory(service.device_memory())})
            values.update(of_devices(service.devices()))
        return Health(
            state=self._state, counts=Counts(), before=Counts(), load_error=self._load_error,
            last_error=self._reporter.last_error, enabled=self._enabled, values=values,
            warnings=service.warnings() if service else (),
            degraded=service.info.degraded if service else '')
