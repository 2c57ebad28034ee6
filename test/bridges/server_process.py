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

"""A real server program on free ports, ended by SIGTERM as a robot's service manager does."""

from __future__ import annotations

from contextlib import contextmanager
import os
from pathlib import Path
import re
import subprocess
import sys
import threading

ROOT = Path(__file__).resolve().parents[2]
LONGEST_S = 240
TINY = ('--model', 'da3-tiny', '--device', 'cpu')


def environment():
    found = {name: value for name, value in os.environ.items() if name != 'DEPTH_ANYTHING_API_KEY'}
    return {**found, 'PYTHONPATH': os.pathsep.join(filter(None, [
        str(ROOT), os.environ.get('PYTHONPATH', '')]))}


class Found(dict):
    """Addresses by name, and the program itself."""

    process: subprocess.Popen


@contextmanager
def server(module, *arguments, names, ends_itself=False):
    """Yield the addresses by name; afterwards the program must have ended with 0."""
    process = subprocess.Popen(
        [sys.executable, '-m', module, *arguments], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=environment())
    said = []
    # Read as it comes: a full pipe would hold the server up.
    reader = threading.Thread(target=lambda: said.extend(process.stderr), daemon=True)
    reader.start()
    watchdog = threading.Timer(LONGEST_S, process.kill)
    watchdog.start()
    try:
        addresses = Found()
        addresses.process = process
        while len(addresses) < names:
            line = process.stdout.readline()
            assert line, ''.join(said)
            match = re.fullmatch(r'serving (\S+) at (\S+)\n', line)
            if match:
                addresses[match[1]] = match[2]
        yield addresses
        if not ends_itself:
            process.terminate()
        assert process.wait(LONGEST_S) == 0, ''.join(said)
        reader.join()
        assert 'Traceback' not in ''.join(said), ''.join(said)
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()


def program(module, *arguments):
    """Run a program to its end and return it."""
    return subprocess.run(
        [sys.executable, '-m', module, *arguments], capture_output=True, text=True,
        env=environment(), timeout=LONGEST_S)


def code_blocks(seed, language='python'):
    """Return the code blocks of a seed's text, None where the texts are not there."""
    path = ROOT.parent / 'shared' / 'seeds' / seed
    if not path.is_file():
        return None
    return re.findall(rf'```{language}\n(.*?)```', path.read_text(encoding='utf-8'), re.DOTALL)
