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

"""Start bridges as a program: flags of the seeds, one engine, an orderly end."""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path
import signal
import sys
import threading
from typing import Callable, Mapping, Protocol, Sequence

from depth_anything_ros.bridges.access import Access, KEY_VARIABLE
from depth_anything_ros.bridges.base import Bridge, BridgeLimits, DRAIN_S
from depth_anything_ros.bridges.image_roots import ImageRoots
from depth_anything_ros.bridges.limit_flags import add_limit_arguments, limits_of
from depth_anything_ros.errors import ConfigError, DepthAnythingError
from depth_anything_ros.process import set_up_process
from depth_anything_ros.service import DepthService, open_service
from depth_anything_ros.settings import changed, ModelSettings, Settings

logger = logging.getLogger(__name__)

MODELS = ('da3-small', 'da3-base', 'da3-large', 'da3-giant', 'da3nested-giant-large',
          'da3mono-large', 'da3metric-large')
"""The seed's choices."""

BUNDLED = 'da3-tiny'

LEVELS = ('DEBUG', 'INFO', 'WARNING', 'ERROR')

QUEUE_SIZE = 32
"""Requests that may be under way; a server that does nothing else can let them wait."""

ZMQ_MODEL, ZMQ_DEVICE, ZMQ_PORT = 'da3mono-large', 'cuda', 5555
"""Defaults of the seed's ZMQ server."""

TCP_PORT = 8000
"""Default of the seed's socket server."""


class Ending:
    """When the program is to end, and how long requests under way have."""

    def __init__(self) -> None:
        """Go on until further notice."""
        self._asked = threading.Event()
        self._serving = False
        self.seconds = DRAIN_S

    def ask(self, seconds: float = DRAIN_S) -> None:
        """End the program; requests under way have so many seconds."""
        self.seconds = seconds
        self._asked.set()

    def on_signal(self, *_: object) -> None:
        """
        Take a signal, in the main thread.

        :raises SystemExit: with 0, while the models are loaded: nobody waits for an answer yet.
        """
        again = self._asked.is_set()
        self.ask()
        if not self._serving and not again:
            raise SystemExit(0)

    def wait(self) -> None:
        """Wait until somebody asks; requests are served from now on."""
        self._serving = True
        self._asked.wait()


class ManyModels(Bridge, Protocol):
    """A bridge whose requests choose among models."""

    def start(self, service: DepthService, *further: DepthService) -> None:
        """Serve with the first where nobody chooses."""
        ...


def model_name(text: str) -> str:
    """
    Return a model's name or the path of its weights.

    :raises argparse.ArgumentTypeError: when it is neither.
    """
    if text in MODELS or text == BUNDLED or Path(text).exists():
        return text
    raise argparse.ArgumentTypeError(
        f'invalid choice: {text!r} (choose from {", ".join((*MODELS, BUNDLED))}, or a path)')


def names(text: str) -> tuple[str, ...]:
    """Return the parts of a list with commas."""
    return tuple(part.strip() for part in text.split(',') if part.strip())


def add_model_arguments(parser: argparse.ArgumentParser, model: str, device: str) -> None:
    """Declare which network runs where."""
    parser.add_argument('--model', type=model_name, default=model,
                        help='one of the names of "depth-anything models", or a path '
                             '(default: %(default)s)')
    add_device_arguments(parser, device)


def add_device_arguments(parser: argparse.ArgumentParser, device: str) -> None:
    """Declare where the network runs and how much may wait for it."""
    parser.add_argument('--device', default=device,
                        help='auto, cuda, cuda:N or cpu (default: %(default)s)')
    parser.add_argument('--devices', type=names, default=(), metavar='NAME,NAME',
                        help='devices that share the work, such as cuda:0,cuda:1, or all; instead '
                             'of --device')
    parser.add_argument('--download', action='store_true', help='fetch missing weights')
    parser.add_argument('--engine-url', default='', metavar='URL',
                        help='use the network of the server there, such as http://host:8000')
    parser.add_argument('--queue-size', type=int, default=QUEUE_SIZE,
                        help='requests that may be under way (default: %(default)s)')


def add_access_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare who may ask, and how much."""
    parser.add_argument('--host', default='127.0.0.1',
                        help=f'address to listen on (default: %(default)s); any other than '
                             f'loopback needs a key in {KEY_VARIABLE}, or --allow-anonymous')
    parser.add_argument('--allow-anonymous', action='store_true',
                        help='serve other machines without a key')
    parser.add_argument('--image-root', action='append', default=[], metavar='DIR',
                        help='folder in which clients may name pictures; repeatable')
    add_limit_arguments(parser)


def add_zmq_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of the ZMQ program."""
    add_model_arguments(parser, ZMQ_MODEL, ZMQ_DEVICE)
    parser.add_argument('--port', type=port_number, default=ZMQ_PORT,
                        help='TCP port, 0 for any (default: %(default)s)')
    parser.add_argument('--log-level', choices=LEVELS, default='INFO')
    add_access_arguments(parser)
    add_curve_arguments(parser)


def add_tcp_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of the raw TCP program."""
    add_model_arguments(parser, ModelSettings.name, ModelSettings.device)
    parser.add_argument('--port', type=port_number, default=TCP_PORT,
                        help='TCP port, 0 for any (default: %(default)s)')
    parser.add_argument('--log-level', choices=LEVELS, default='INFO')
    add_access_arguments(parser)
    add_tls_arguments(parser)


def add_tls_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the files of TLS."""
    parser.add_argument('--tls-cert', type=Path, metavar='PEM',
                        help='encrypt HTTP and raw TCP by this certificate')
    parser.add_argument('--tls-key', type=Path, metavar='PEM', help='key of the certificate')


def add_curve_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the files of CURVE."""
    parser.add_argument('--curve-key', type=Path, metavar='FILE',
                        help='encrypt ZMQ by this secret key, a .key_secret file of zmq.auth')
    parser.add_argument('--curve-clients', type=Path, metavar='DIR',
                        help='let in only ZMQ clients whose public keys (*.key) lie here')


def port_number(text: str) -> int:
    """
    Return a TCP port.

    :raises argparse.ArgumentTypeError: when it is none.
    """
    if text.isascii() and text.isdecimal() and int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f'invalid port: {text!r} (0 to 65535)')


def access_of(
    arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ, *,
    known: bool = False,
) -> Access:
    """
    Return who may ask; the key comes from the environment alone.

    :param arguments: the flags of :func:`add_access_arguments`.
    :param environment: holds the key.
    :param known: whether the bridge lets in known clients only, and so needs no key.
    :raises ConfigError: when the port would be open to others by accident.
    """
    return Access(arguments.host, environment.get(KEY_VARIABLE, ''),
                  arguments.allow_anonymous or known)


def zmq_bridge(arguments: argparse.Namespace, port: int) -> Bridge:
    """Return the ZMQ bridge that the flags describe."""
    from depth_anything_ros.bridges.curve import curve_of
    from depth_anything_ros.bridges.zeromq import ZmqBridge
    curve = curve_of(arguments.curve_key, arguments.curve_clients, os.environ)
    return ZmqBridge(
        access_of(arguments, known=curve is not None and curve.clients is not None), port,
        roots=ImageRoots(arguments.image_root), curve=curve,
        limits=limits_of(arguments, BridgeLimits()))


def tcp_bridge(arguments: argparse.Namespace, port: int, ending: Ending) -> Bridge:
    """Return the raw TCP bridge that the flags describe, with the installed actions."""
    from depth_anything_ros.bridges.tcp import TcpBridge
    from depth_anything_ros.bridges.tcp_actions import installed_actions
    from depth_anything_ros.bridges.tls import server_tls
    return TcpBridge(
        access_of(arguments), port, actions=installed_actions(),
        roots=ImageRoots(arguments.image_root), on_shutdown=ending.ask,
        limits=limits_of(arguments, BridgeLimits()),
        tls=server_tls(arguments.tls_cert, arguments.tls_key))


def serve(
    bridges: Mapping[str, Bridge], arguments: argparse.Namespace, ending: Ending,
    choosing: ManyModels | None = None,
    open_model: Callable[[Settings], DepthService] | None = None,
) -> int:
    """
    Open the ports, load the engine, serve until a signal, and end in order.

    :param bridges: what to serve, by name.
    :param arguments: the flags of :func:`add_model_arguments`.
    :param ending: ends the program; signals ask it too.
    :param choosing: that of the bridges which is given the models of ``--also-model`` too.
    :param open_model: returns the service of a model; None: one that is loaded here.
    :returns: 0 after an orderly end, 1 when a port cannot be had.
    :raises ConfigError: when the device is not to be had.
    :raises ModelLoadFailed: when the weights are missing or do not fit.
    """
    # Every message is megabytes: without it the system maps and clears their memory anew.
    set_up_process(fastdds_profile=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ending.on_signal)
    opened: list[Bridge] = []
    try:
        for bridge in bridges.values():
            try:
                bridge.listen()
            except OSError as error:
                print(error.strerror or error, file=sys.stderr)
                return 1
            opened.append(bridge)
        settings = changed(Settings(), {
            'model.name': str(arguments.model), 'model.device': arguments.device,
            'model.devices': arguments.devices, 'engine.url': arguments.engine_url,
            'model.download': arguments.download, 'model.queue_size': arguments.queue_size})
        services = list[DepthService]()
        try:
            for model in (arguments.model, *(arguments.also_model if choosing else ())):
                services.append(opened_service(
                    changed(settings, {'model.name': str(model)}), open_model or open_service))
                loaded = [service.info.model for service in services]
                if len(set(loaded)) < len(loaded):
                    raise ConfigError(f'{loaded[-1]} is named twice by --model and --also-model')
            for bridge in bridges.values():
                if bridge is not choosing:
                    bridge.start(services[0])
            if choosing is not None:
                choosing.start(*services)
            for name, bridge in bridges.items():
                print(f'serving {name} at {bridge.address}', flush=True)
            ending.wait()
            logger.info('stopping: requests under way have %g s', ending.seconds)
        finally:
            for bridge in opened:
                bridge.stop(ending.seconds)
            opened.clear()
            for service in services:
                service.close()
    finally:
        for bridge in opened:
            bridge.stop()
    return 0


def opened_service(
    settings: Settings, open_model: Callable[[Settings], DepthService],
) -> DepthService:
    """Return the service of a model that is loaded now, and say in the log what it is."""
    service = open_model(settings)
    info = service.info
    logger.info('%s on %s, %s; licence of the weights: %s', info.model, info.device,
                info.precision, info.licence)
    for warning in info.warnings:
        logger.warning('%s', warning)
    return service


def run_program(
    name: str, argv: Sequence[str] | None, add: Callable[[argparse.ArgumentParser], None],
    work: Callable[[argparse.Namespace], int],
) -> int:
    """
    Run a bridge as a program of its own.

    :param name: what it serves, for the usage text.
    :param argv: arguments, default: those of the process.
    :param add: declares the flags.
    :param work: does it and returns the exit code.
    :returns: that code, or 2 for wrong settings.
    """
    parser = argparse.ArgumentParser(description=f'Depth Anything 3 over {name}.')
    add(parser)
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=arguments.log_level, format='%(levelname)s %(message)s')
    try:
        return work(arguments)
    except DepthAnythingError as error:
        print(error, file=sys.stderr)
        return 2


def run_zmq(argv: Sequence[str] | None = None) -> int:
    """Run the ZMQ program; see :func:`depth_anything_ros.bridges.zeromq.main`."""
    return run_program('ZMQ', argv, add_zmq_arguments, zmq_program)


def run_tcp(argv: Sequence[str] | None = None) -> int:
    """Run the raw TCP program; see :func:`depth_anything_ros.bridges.tcp.main`."""
    return run_program('raw TCP', argv, add_tcp_arguments, tcp_program)


def zmq_program(arguments: argparse.Namespace) -> int:
    """Serve ZMQ as the flags of :func:`add_zmq_arguments` say and return the exit code."""
    return serve({'zmq': zmq_bridge(arguments, arguments.port)}, arguments, Ending())


def tcp_program(arguments: argparse.Namespace) -> int:
    """Serve raw TCP as the flags of :func:`add_tcp_arguments` say and return the exit code."""
    ending = Ending()
    return serve({'tcp': tcp_bridge(arguments, arguments.port, ending)}, arguments, ending)
