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

"""``depth-anything demo``: a camera, the depth node and a listener, each a process of real ROS."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
import json
import os
from pathlib import Path
import signal
import sys
import time
from typing import Any

from depth_anything_ros.errors import ConfigError, DepthAnythingError

HELP = 'Run a camera, the depth node and a listener in ROS, and show what comes out.'

DEFAULT_MODEL = 'da3-tiny'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument('--room', type=int, default=3, metavar='0..7',
                        help='ray-cast room with exact depth (default: %(default)s)')
    source.add_argument('--image', metavar='FILE', help='a picture of yours')
    source.add_argument('--video', metavar='FILE', help='a video of yours')
    source.add_argument('--folder', metavar='DIR', help='a folder of pictures')
    source.add_argument('--v4l', metavar='DEVICE', help='a camera, such as /dev/video0')
    parser.add_argument('--fov', type=float, default=0.0,
                        help='horizontal field of view of your camera, degrees')
    parser.add_argument('--model', default=DEFAULT_MODEL,
                        help='model name (its weights are fetched where there is internet), '
                             'directory or .safetensors file (default: %(default)s)')
    parser.add_argument('--device', default='auto', help='auto, cuda, cuda:N or cpu')
    parser.add_argument('--seconds', type=float, default=12.0, help='default: %(default)g')
    parser.add_argument('--rate', type=float, default=5.0, metavar='HZ',
                        help='images per second (default: %(default)g)')
    parser.add_argument('--width', type=int, default=0, help='width of the images, pixels')
    parser.add_argument('--output', type=Path, default=Path('demo_output'),
                        help='folder for what comes out (default: %(default)s)')
    parser.add_argument('--domain', type=int, default=None, metavar='ID',
                        help='ROS_DOMAIN_ID, to look on with other tools; default: by chance')


def run(arguments: argparse.Namespace) -> int:
    """
    Run the demo.

    :returns: 0 when all is well, 1 when something is wrong, which is then said.
    """
    from depth_anything_ros.cli.demo_processes import isolate
    from depth_anything_ros.interfaces import require_ros
    from depth_anything_ros.process import set_up_process

    # All of it before rclpy is imported, which reads its settings at start.
    domain = isolate(os.environ, arguments.domain)
    set_up_process()
    require_ros()
    from depth_anything_ros.cli.demo_plan import make_plan
    if arguments.seconds <= 0:
        raise ConfigError(f'--seconds must be more than 0, seen {arguments.seconds:g}')
    plan = make_plan(arguments)
    output: Path = arguments.output
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f'cannot make the folder {output}: {error}') from None
    print(f'{plan.title} -> demo_camera -> depth_node ({plan.model.name}) -> listener, in '
          f'ROS_DOMAIN_ID={domain}', flush=True)
    # A terminated demo must still end what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        summary, views = observe(plan, output)
    except DepthAnythingError as error:
        print(f'the demo failed: {error}', file=sys.stderr)
        return 1
    return show(plan, summary, views, output)


def observe(plan: Any, output: Path) -> tuple[dict[str, Any], list[Any]]:
    """Run all three until every image is accounted for; return the numbers and some views."""
    from depth_anything_ros.cli.demo_report import summarise
    from depth_anything_ros.cli.demo_session import Session

    with ExitStack() as stack:
        session = Session(plan, output, stack)
        session.start_node()
        session.start_camera()
        session.wait_for_the_end()
        observed, report = session.listener.observed, session.listener.report
        assert report is not None
        return summarise(plan, observed, report), observed.views


def show(plan: Any, summary: dict[str, Any], views: list[Any], output: Path) -> int:
    """Print the table, write the files and return the exit code."""
    from depth_anything_ros.cli.demo_files import write_views
    from depth_anything_ros.cli.demo_report import table, text_of

    began = time.monotonic()
    files = write_views(plan, views, output)
    summary['files'] = [*files, 'summary.json']
    (output / 'summary.json').write_text(json.dumps(summary, indent=2) + '\n', encoding='utf-8')
    print()
    print(text_of(table(plan, summary)))
    print(f'\nin {output}/ (written in {time.monotonic() - began:.1f} s):')
    print(text_of([*files.items(), ('summary.json', 'the numbers above'),
                   ('node.log, camera.log', 'what the programs said')]))
    for problem in summary['problems']:
        print(f'\nNOT WELL: {problem}', file=sys.stderr)
    return 1 if summary['problems'] else 0
