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

"""Servers for remote engines, which come and go on one port."""

from __future__ import annotations

from contextlib import contextmanager
import os
from pathlib import Path
import subprocess
import sys

SCRIPT = Path(__file__).with_name('given_server.py')
ROOT = SCRIPT.parents[2]


@contextmanager
def given_server(port=0, model='given'):
    """Yield the port of a server and its process, which is killed at the end."""
    found = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, [
        str(ROOT), os.environ.get('PYTHONPATH', '')]))}
    found.pop('DEPTH_ANYTHING_API_KEY', None)
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(port), model], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True, env=found)
    try:
        yield int(process.stdout.readline()), process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
