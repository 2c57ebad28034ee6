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

"""``depth-anything rest``: the REST bridge alone, with the seed's flags."""

from __future__ import annotations

import argparse

from depth_anything_ros.bridges.rest import program

HELP = 'Serve depth over HTTP, with a page, documentation and metrics.'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    program.add_rest_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal and return the exit code."""
    return program.rest_program(arguments)
