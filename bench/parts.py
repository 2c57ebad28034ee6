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

"""Processes of a benchmark that do what they are told over a pipe, and what a process uses."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path
from typing import Any, Callable

Reply = Any


class Part:
    """A process of the benchmark that does what it is told over a pipe."""

    def __init__(self, main: Callable[..., None], *arguments: Any, wait: bool = True) -> None:
        """
        Start it, and ``wait`` until it is ready, or let the caller do that.

        :param main: what the process runs, with the pipe and the arguments.
        """
        context = multiprocessing.get_context('spawn')
        self._pipe, other = context.Pipe()
        self.process = context.Process(target=main, args=(other, *arguments), daemon=True)
        self.process.start()
        # The other end is the process's alone: when that dies, waiting for it ends.
        other.close()
        if wait:
            self.wait()

    def wait(self) -> None:
        """Wait until it is ready."""
        assert self._pipe.recv() == 'ready'

    @property
    def pid(self) -> int:
        """Return the number of the process."""
        assert self.process.pid is not None
        return self.process.pid

    def tell(self, *command: Any) -> None:
        """Send a command."""
        self._pipe.send(command)

    def reply(self) -> Reply:
        """Wait for the answer to a command."""
        return self._pipe.recv()

    def ask(self, *command: Any) -> Reply:
        """Send a command and wait for the answer."""
        self.tell(*command)
        return self.reply()

    def close(self) -> None:
        """End it, if it has not ended already."""
        try:
            self.tell('end')
        except OSError:
            pass
        self.process.join(10.0)


def usage(pid: int) -> dict[str, float]:
    """Return CPU seconds, minor page faults and resident bytes of a process so far."""
    fields = Path(f'/proc/{pid}/stat').read_text(encoding='ascii').rpartition(')')[2].split()
    tick = os.sysconf('SC_CLK_TCK')
    return {'cpu': (int(fields[11]) + int(fields[12])) / tick, 'faults': int(fields[7]),
            'memory': int(fields[21]) * os.sysconf('SC_PAGE_SIZE')}
