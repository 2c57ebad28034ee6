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

"""The one service that every edge is handed: frames and requests in, results out."""

from __future__ import annotations

from concurrent.futures import Future, wait
from concurrent.futures import TimeoutError as FutureTimeout
import logging
import time
from typing import Any, Callable, Sequence, TYPE_CHECKING, TypeVar

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.multi_view import Views
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.engine.base import Engine, EngineInfo, MultiViewEngine, PreparedViews
from depth_anything_ros.engine.entry import import_engine, import_onnx_engine
from depth_anything_ros.engine.owners import Stream
from depth_anything_ros.engine.pool import Pool
from depth_anything_ros.engine.runner import Runner
from depth_anything_ros.engine.tally import Statistics
from depth_anything_ros.engine.workers import DeviceStatus
from depth_anything_ros.errors import Cancelled, ConfigError, DeadlineExceeded, InvalidRequest
from depth_anything_ros.reconstruction.incremental import IncrementalScene
from depth_anything_ros.reconstruction.options import SceneOptions
from depth_anything_ros.reconstruction.scene import Scene
from depth_anything_ros.reconstruction.steps import Progress, reconstruct
from depth_anything_ros.settings import changed, ModelSettings, Settings
from depth_anything_ros.settings.reconstruction import ReconstructionSettings
from depth_anything_ros.watching import Watchers

if TYPE_CHECKING:
    from depth_anything_ros.remote.ray_runner import RayRunner

__all__ = [
    'WARM_UP_SIZE', 'DepthService', 'DeviceStatus', 'EngineInfo', 'load_engine', 'load_engines',
    'open_service', 'Statistics', 'Stream']

logger = logging.getLogger(__name__)

WARM_UP_SIZE = (640, 480)
"""Camera size (width, height) in pixels that the first, slow run is made for."""

CUDA_BATCH = 4
"""Images that the network takes together on CUDA where nothing else is set."""

CANCEL_PERIOD = 0.1
"""Seconds between two looks at whether a reconstruction that waits is still wanted."""

Value = TypeVar('Value')


def load_engine(settings: Settings) -> Engine:
    """
    Load and warm the engine that the settings name.

    :param settings: which model, where from, on which device.
    :returns: a warm engine.
    :raises ConfigError: when the device or precision is not to be had.
    :raises ModelLoadFailed: when the weights are missing or do not fit, or the server of
        ``engine.url`` is not ready.
    :raises MissingDependency: when torch or the network's code is not installed.
    """
    model = settings.model
    engine: Engine
    if settings.engine.url:
        from depth_anything_ros.remote.network import connect
        engine = connect(settings)
    elif model.engine == 'torch':
        engine = import_engine().load(
            model.name, device=model.device, precision=model.precision,
            architecture=model.architecture, download=model.download, compiled=model.compile)
    else:
        engine = import_onnx_engine().load(
            model.name, engine=model.engine, device=model.device)
    engine.warm_up(*WARM_UP_SIZE)
    return engine


def load_engines(settings: Settings) -> list[Engine]:
    """
    Load and warm an engine on each of ``model.devices``, or the one on ``model.device``.

    :raises DepthAnythingError: as :func:`load_engine` does; what was loaded is freed then.
    """
    engines: list[Engine] = []
    try:
        model = settings.model
        if settings.engine.url and model.devices:
            logger.warning('model.devices is %s and not used: the network of engine.url runs on '
                           'the devices of its server', list(model.devices))
        for device in (model.device,) if settings.engine.url else devices_of(model):
            engines.append(load_engine(changed(settings, {'model.device': device})))
    except BaseException:
        for engine in engines:
            engine.close()
        raise
    return engines


def devices_of(model: ModelSettings) -> tuple[str, ...]:
    """
    Return the devices that share the work.

    :raises ConfigError: when all are asked for and there is none, or ``all`` stands among others.
    """
    if 'all' not in model.devices:
        return model.devices or (model.device,)
    if len(model.devices) > 1:
        raise ConfigError(f'model.devices is {list(model.devices)}: all stands alone')
    import_engine()
    from depth_anything_ros.engine.device import all_devices
    return all_devices()


def open_service(settings: Settings) -> DepthService:
    """
    Load the model that the settings name and serve it.

    :raises DepthAnythingError: as :func:`load_engine` does.
    """
    model = settings.model
    return DepthService(
        *load_engines(settings), queue_size=model.queue_size, max_batch=model.max_batch,
        batch_window=model.batch_window / 1000, request_share=model.request_share,
        device_timeout=model.device_timeout,
        max_megapixels=settings.reconstruction.max_megapixels)


class DepthService:
    """One model, on one device or several, shared by all streams and requests."""

    def __init__(
        self, engine: Engine, *others: Engine, queue_size: int = 4, max_batch: int = 0,
        batch_window: float = 0.0, request_share: float = 0.15,
        max_megapixels: float = ReconstructionSettings.max_megapixels,
        device_timeout: float = ModelSettings.device_timeout,
        runner: RayRunner | None = None,
    ) -> None:
        """
        Start serving.

        :param engine: a loaded engine, owned and closed by the service from now on.
        :param others: the same model on further devices, see :class:`Pool`.
        :param queue_size: requests that may be under way; one more is answered ``Busy``.
        :param max_batch: images of one processed shape that go through the network together, of
            whichever stream or request; 0: ``CUDA_BATCH`` on CUDA, 1 elsewhere, where more at
            once is no faster.
        :param batch_window: seconds to wait for more of them; 0 takes only what waits already.
        :param request_share: part of the time that requests have while frames wait for it.
        :param max_megapixels: processed pixels that the images of one reconstruction may have.
        :param device_timeout: as of :class:`Pool`.
        :param runner: has the engine's work done elsewhere, in place of a runner made of the
            options above.
        """
        self._engine, self._engines = engine, (engine, *others)
        self.watchers = Watchers()
        self._most_pixels = int(max_megapixels * 1e6)
        on_cuda = engine.info.device.startswith('cuda')
        most = max_batch or (CUDA_BATCH if on_cuda else 1)
        self._runner: Runner | Pool | RayRunner = runner or (Pool(
            self._engines, queue_size=queue_size, batch_window=batch_window,
            request_share=request_share, max_batch=most,
            device_timeout=device_timeout) if others else Runner(
                engine, queue_size=queue_size, batch_window=batch_window,
                request_share=request_share, max_batch=most))

    @property
    def info(self) -> EngineInfo:
        """Return what the engine is."""
        return self._engine.info

    def device_memory(self) -> tuple[int, int] | None:
        """Return the bytes of memory allocated and reserved on all GPUs, None on the CPU."""
        found = [used for used in map(memory_of, self._gpus()) if used is not None]
        return (sum(used[0] for used in found), sum(used[1] for used in found)) if found else None

    def total_device_memory(self) -> int | None:
        """Return the bytes of memory that all GPUs have, None on the CPU."""
        gpus = self._gpus()
        if not gpus:
            return None
        from depth_anything_ros.engine.device import total_memory
        return sum(map(total_memory, gpus))

    def devices(self) -> tuple[DeviceStatus, ...]:
        """Return how each device is and what it has done; empty where there is only one."""
        return () if isinstance(self._runner, Runner) else self._runner.devices()

    def warnings(self) -> tuple[str, ...]:
        """Return what a user must know now: devices that are out, then what the engine says."""
        out = tuple(f'degraded: {each.name} is taken out and tried again: {each.error}'
                    for each in self.devices() if not each.serving)
        return (*out, *self.info.warnings)

    def _gpus(self) -> list[str]:
        return sorted({each.info.device for each in self._engines
                       if each.info.device.startswith('cuda')})

    def stream(
        self, name: str, on_result: Callable[[DepthResult], None],
        on_error: Callable[[Exception], None],
    ) -> Stream:
        """
        Open a stream of frames of which only the newest matters; see :class:`Runner`.

        What comes out can be seen by others too: see ``watchers``.
        """
        stream = self._runner.stream(name, self.watchers.tapped(name, on_result), on_error)
        self.watchers.add(name, stream)
        return stream

    def submit(
        self, source: Callable[[], Frame], options: FrameOptions, *,
        deadline: float | None = None, ready: bool = False, pixels: tuple[int, ...] = (),
    ) -> Future[DepthResult]:
        """Queue one request; see :meth:`Runner.submit`."""
        return self._runner.submit(
            source, options, deadline=deadline, ready=ready, pixels=pixels)

    def at_once(
        self, source: Callable[[], Frame], options: FrameOptions, pixels: tuple[int, ...],
    ) -> DepthResult | None:
        """
        Return the result of a request that the calling thread can do by itself, else None.

        Only when nothing else is in hand, such requests took less than a millisecond lately, and
        there is one device. Otherwise submit it.

        :param source: returns the frame at once, with nothing to decode.
        :param options: what is asked of it.
        :param pixels: shape of the frame's pixels; () for an unknown one.
        :raises DepthAnythingError: what stopped it.
        """
        if not pixels or not isinstance(self._runner, Runner):
            return None
        return self._runner.at_once(source, options, pixels)

    def call(
        self, function: Callable[[Engine], Value], *, deadline: float | None = None,
    ) -> Future[Value]:
        """
        Queue one request that needs the engine for itself; see :meth:`Runner.call`.

        :param function: is given the engine, in the thread that runs the network.
        :param deadline: when it need not be begun any more, by ``time.monotonic``.
        """
        return self._runner.call(function, deadline=deadline)

    def statistics(self) -> Statistics:
        """Return what became of all requests, and how busy the network is."""
        return self._runner.statistics()

    def estimate(
        self, frame: Frame, options: FrameOptions, timeout: float | None = None,
    ) -> DepthResult:
        """
        Return the result of one request, waiting for it.

        :param frame: the image.
        :param options: what is asked of it.
        :param timeout: seconds to wait, None for ever.
        :raises Busy: when too many requests are under way.
        :raises DeadlineExceeded: when the time is over.
        """
        pixels = frame.rgb.shape
        result = self.at_once(lambda: frame, options, pixels)
        if result is not None:
            return result
        deadline = None if timeout is None else time.monotonic() + timeout
        future = self.submit(
            lambda: frame, options, deadline=deadline, ready=True, pixels=pixels)
        try:
            return future.result(timeout)
        except FutureTimeout:
            future.cancel()
            raise DeadlineExceeded(f'no result within {timeout:g} s') from None

    def views(
        self, sources: Sequence[Callable[[], Frame]], options: FrameOptions, *,
        deadline: float | None = None,
    ) -> Future[Views]:
        """
        Queue one request for images of a scene that the network looks at together.

        :param sources: each returns an image; one only where the model is not ``info.multi_view``.
        :param options: what is asked of them.
        :param deadline: as of :meth:`submit`.
        :returns: a future with depth and cameras in one world.
        :raises InvalidRequest: when this engine looks at single images only.
        :raises Busy: when too many requests are under way.
        :raises NotReady: when the service is closing.
        """
        self._multi_view()

        def infer(engine: Any) -> Views:
            frames = [source() for source in sources]
            views: Views = engine.infer_views(
                engine.prepare_views(frames, options, self._most_pixels))
            return views
        return self._runner.call(infer, deadline=deadline)

    def reconstruct(
        self, frames: Sequence[Frame], options: SceneOptions | None = None, *,
        progress: Progress | None = None, cancelled: Callable[[], bool] | None = None,
    ) -> Scene:
        """
        Return the scene that images show, waiting for it; call it in a thread that may wait.

        The network's one call takes its turn among the streams and requests; all else happens in
        the caller's thread.

        :param frames: images of one scene; one only where the model is not ``info.multi_view``.
        :param options: how they become a scene; default: the defaults.
        :param progress: told each step (preparing, inference, fusing, done) and how much is done.
        :param cancelled: asked before each step, and while the device is busy with others,
            whether to stop.
        :raises Cancelled: when ``cancelled`` said so.
        :raises InvalidRequest: when these images cannot be reconstructed by this model.
        :raises PayloadTooLarge: when they are more than ``max_megapixels``.
        :raises Busy: when too many requests are under way.
        """
        engine = self._multi_view()
        return reconstruct(
            lambda fitting: engine.prepare_views(frames, fitting, self._most_pixels),
            lambda prepared: self._views(prepared, cancelled), frames, options or SceneOptions(),
            predicts_intrinsics=self.info.predicts_intrinsics, progress=progress,
            cancelled=cancelled)

    def incremental(self, options: SceneOptions | None = None) -> IncrementalScene:
        """
        Return an empty scene that grows with images, each window by one call of the network.

        :param options: how images become a scene; default: the defaults.
        :raises InvalidRequest: when the model cannot look at several images together.
        """
        engine, chosen = self._multi_view(), options or SceneOptions()
        if not self.info.multi_view:
            raise InvalidRequest(
                f'{self.info.model} predicts no camera poses: its scenes cannot grow')

        def views_of(frames: Sequence[Frame], cancelled: Callable[[], bool]) -> Views:
            prepared = engine.prepare_views(frames, chosen.frame_options(), self._most_pixels)
            return self._views(prepared, cancelled)

        return IncrementalScene(views_of, chosen)

    def _multi_view(self) -> MultiViewEngine:
        if not isinstance(self._engine, MultiViewEngine):
            raise InvalidRequest(f'the engine of {self.info.model} makes no reconstructions')
        return self._engine

    def _views(
        self, prepared: PreparedViews, cancelled: Callable[[], bool] | None,
    ) -> Views:
        """Run the network on a scene's images when their turn has come."""
        def infer(engine: Any) -> Views:
            views: Views = engine.infer_views(prepared)
            return views
        future = self.call(infer)
        while not wait([future], CANCEL_PERIOD).done:
            # Only what still waits for the device can be withdrawn.
            if cancelled and cancelled() and future.cancel():
                raise Cancelled('cancelled while waiting for the device')
        return future.result()

    def close(self, timeout: float = 5.0) -> None:
        """Stop serving, let the frame on the device finish, then free the engine."""
        if self._runner.close(timeout):
            for engine in self._engines:
                engine.close()
        else:
            logger.error('a stage did not end within %g s; the device is not freed', timeout)


def memory_of(device: str) -> tuple[int, int] | None:
    """Return the bytes of memory allocated and reserved on a device, None on the CPU."""
    if not device.startswith('cuda'):
        return None
    from depth_anything_ros.engine.device import memory_in_use
    return memory_in_use(device)
