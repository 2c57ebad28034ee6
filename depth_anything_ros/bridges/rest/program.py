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

"""The REST bridge as a program: its flags, and the seed's ``--reload``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Sequence, TYPE_CHECKING

from depth_anything_ros.bridges import launcher
from depth_anything_ros.bridges.backend.exports import ExportRoots
from depth_anything_ros.bridges.image_roots import ImageRoots
from depth_anything_ros.bridges.limit_flags import limits_of
from depth_anything_ros.bridges.rest.fetching import FetchPolicy
from depth_anything_ros.bridges.rest.options import PORT, REST_LIMITS, RestOptions
from depth_anything_ros.reconstruction.sessions import SessionLimits
from depth_anything_ros.settings import ModelSettings

if TYPE_CHECKING:
    from depth_anything_ros.bridges.rest.server import RestBridge


def add_http_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the port and what is particular to HTTP."""
    parser.add_argument('--port', type=launcher.port_number, default=PORT,
                        help='HTTP port, 0 for any (default: %(default)s)')
    parser.add_argument('--cors-origin', action='append', default=[], metavar='ORIGIN',
                        help='page that browsers may ask from, beside those of this machine: '
                             'https://host:port, null for files, * for all; repeatable')
    parser.add_argument('--allowed-host', action='append', default=[], metavar='NAME',
                        help='further name by which requests may address this server; repeatable')
    parser.add_argument('--allow-image-url', action='store_true',
                        help='let clients name pictures on public https servers')
    parser.add_argument('--image-url-host', action='append', default=[], metavar='NAME',
                        help='only from this server; repeatable')
    parser.add_argument('--also-model', action='append', default=[], type=launcher.model_name,
                        metavar='NAME', help='load this model too, for HTTP requests that choose '
                        'it by model, or by encoder on the routes of the older API; repeatable')
    launcher.add_tls_arguments(parser)
    parser.add_argument('--rate', type=float, default=0.0, metavar='N',
                        help='HTTP requests per second that one client may send '
                             '(default: any number)')
    parser.add_argument('--export-root', action='append', default=[], metavar='DIR',
                        help='folder below which tasks of /inference may write; repeatable')
    parser.add_argument('--gallery-dir', type=Path, metavar='DIR',
                        help='folder whose scenes are shown at /gallery/')
    sessions = SessionLimits()
    parser.add_argument('--max-sessions', type=int, default=sessions.sessions, metavar='N',
                        help='reconstruction sessions at once (default: %(default)s)')
    parser.add_argument('--session-timeout', type=float, default=sessions.idle_s, metavar='S',
                        help='seconds after which an unused session is deleted '
                             '(default: %(default)g)')
    parser.add_argument('--num-max-points', type=int, default=sessions.points, metavar='N',
                        help='points of a model where the client says nothing; clients that take '
                             'no message over 1 MiB need 40000 (default: %(default)s)')


def add_rest_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of the REST program."""
    launcher.add_model_arguments(parser, ModelSettings.name, ModelSettings.device)
    add_http_arguments(parser)
    parser.add_argument('--reload', action='store_true',
                        help='start again whenever a source file changes; for development')
    parser.add_argument('--log-level', choices=launcher.LEVELS, default='INFO')
    launcher.add_access_arguments(parser)


def options_of(arguments: argparse.Namespace) -> RestOptions:
    """
    Return what the flags say.

    :raises ConfigError: when they cannot be meant.
    """
    return RestOptions(
        access=launcher.access_of(arguments), limits=limits_of(arguments, REST_LIMITS),
        roots=ImageRoots(arguments.image_root),
        origins=tuple(arguments.cors_origin), hosts=tuple(arguments.allowed_host),
        certificate=arguments.tls_cert, certificate_key=arguments.tls_key, rate=arguments.rate,
        fetch=FetchPolicy(arguments.allow_image_url,
                          tuple(name.lower() for name in arguments.image_url_host)),
        sessions=SessionLimits(
            sessions=arguments.max_sessions, idle_s=arguments.session_timeout,
            points=arguments.num_max_points),
        exports=ExportRoots(arguments.export_root), gallery=arguments.gallery_dir)


def rest_bridge(arguments: argparse.Namespace) -> RestBridge:
    """Return the REST bridge that the flags describe."""
    from depth_anything_ros.bridges.rest.server import RestBridge
    return RestBridge(options_of(arguments), arguments.port)


def rest_program(arguments: argparse.Namespace) -> int:
    """Serve HTTP as the flags of :func:`add_rest_arguments` say and return the exit code."""
    if arguments.reload:
        return reloading(arguments)
    bridge = rest_bridge(arguments)
    return launcher.serve({'rest': bridge}, arguments, launcher.Ending(), bridge)


def run_rest(argv: Sequence[str] | None = None) -> int:
    """Run the REST program and return its exit code."""
    return launcher.run_program('REST', argv, add_rest_arguments, rest_program)


def reloading(arguments: argparse.Namespace) -> int:
    """
    Run the program in a child process that starts again when a source file changes.

    :param arguments: the flags of :func:`add_rest_arguments`.
    """
    from uvicorn.config import Config
    from uvicorn.supervisors import ChangeReload
    # Wrong flags are said once, not by a child that starts again and again.
    options_of(arguments)
    # Only what it watches matters: the application is made in the child.
    config = Config('depth_anything_ros:none', reload=True, log_config=None,
                    reload_dirs=[str(Path(__file__).parents[2])])
    arguments.reload = False
    ChangeReload(config, target=_Child(arguments), sockets=[]).run()
    return 0


class _Child:
    """What the supervisor runs; goes to the child as a pickle of the flags."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments

    def __call__(self, sockets: Any = None) -> None:
        import logging
        logging.basicConfig(level=self._arguments.log_level, format='%(levelname)s %(message)s')
        raise SystemExit(rest_program(self._arguments))
