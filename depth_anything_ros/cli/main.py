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

"""Entry point of the ``depth-anything`` command."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from typing import Protocol, Sequence

from depth_anything_ros.errors import DepthAnythingError

VERBS = (
    'demo', 'estimate', 'reconstruct', 'bag', 'serve', 'zmq', 'tcp', 'rest', 'ws', 'client',
    'models', 'export', 'doctor')
"""Modules of this package, each a verb."""


class Verb(Protocol):
    """What a verb's module offers."""

    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the verb's arguments."""
        ...

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it and return the exit code."""
        ...


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run a verb.

    :param argv: arguments without the program's name; default: those of the process.
    :returns: 0 when it worked, 1 when it did not, 2 for wrong arguments or settings.
    """
    parser = argparse.ArgumentParser(
        prog='depth-anything', description='Metric depth and point clouds with Depth Anything 3.')
    parser.add_argument('--log-level', default='warning',
                        choices=('debug', 'info', 'warning', 'error'))
    verbs = parser.add_subparsers(dest='verb', required=True, metavar='VERB')
    modules: dict[str, Verb] = {}
    for name in VERBS:
        module: Verb = importlib.import_module(f'depth_anything_ros.cli.{name}')
        modules[name] = module
        module.add_arguments(verbs.add_parser(name, help=module.HELP, description=module.HELP))
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=arguments.log_level.upper(), format='%(levelname)s %(message)s')
    try:
        return modules[arguments.verb].run(arguments)
    except DepthAnythingError as error:
        print(f'depth-anything {arguments.verb}: {error}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main())
