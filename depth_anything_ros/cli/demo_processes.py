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

"""Programs that the demo starts: their environment, their log and their end."""

from __future__ import annotations

import os
from pathlib import Path
import random
import signal
import socket
import subprocess
import sys
from types import TracebackType
from typing import MutableMapping, Sequence

from depth_anything_ros.errors import DepthAnythingError

DOMAINS = range(10, 101)
"""Above 101 the ports may be taken by other programs; the low ones are what people choose."""

STOP_TIMEOUT = 10.0
"""Seconds that a program may take to end after SIGINT."""


class DemoFailed(DepthAnythingError):
    """The demo did not come to its end; the text says why and shows what was logged."""


def isolate(environment: MutableMapping[str, str], domain: int | None = None) -> int:
    """
    Keep ROS on this machine and out of what else runs on it.

    :param environment: changed in place.
    :param domain: ROS_DOMAIN_ID; default: one that nobody seems to use.
    :returns: the domain.
    """
    chosen = free_domain() if domain is None else domain
    environment['ROS_DOMAIN_ID'] = str(chosen)
    if environment.get('ROS_DISTRO') == 'humble':
        environment['ROS_LOCALHOST_ONLY'] = '1'
    else:
        environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    return chosen


def free_domain() -> int:
    """Return a domain by chance, not one whose first port a participant here holds already."""
    domains = random.SystemRandom().sample(DOMAINS, len(DOMAINS))
    for domain in domains:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                # DDSI-RTPS 9.6.1.1: unicast discovery of participant 0.
                probe.bind(('', 7400 + 250 * domain + 10))
            except OSError:
                continue
            return domain
    return domains[0]


class Program:
    """One of our modules, run in a process of its own; its output goes to a file."""

    def __init__(self, name: str, module: str, arguments: Sequence[str], log: Path) -> None:
        """
        Start it.

        :param name: what messages call it.
        :param module: run as ``python -m``.
        :param arguments: its command line.
        :param log: file for its output.
        """
        self.name, self.log = name, log
        with log.open('wb') as file:
            self._process = subprocess.Popen(
                [sys.executable, '-m', module, *arguments], stdin=subprocess.DEVNULL,
                stdout=file, stderr=subprocess.STDOUT,
                env={**os.environ, 'PYTHONUNBUFFERED': '1'})

    @property
    def code(self) -> int | None:
        """Return the exit code, None while it runs."""
        return self._process.poll()

    def check(self) -> None:
        """
        Go on only while it runs or after it ended well.

        :raises DemoFailed: with the end of its log.
        """
        if self.code:
            how = f'ended with code {self.code}' if self.code > 0 else (
                f'was killed by {signal.Signals(-self.code).name}')
            raise DemoFailed(f'{self.name} {how}:\n{self.tail()}')

    def tail(self, lines: int = 12) -> str:
        """Return the end of its log, indented."""
        text = self.log.read_text(encoding='utf-8', errors='replace').splitlines()
        return '\n'.join(f'    {line}' for line in text[-lines:]) or '    (it logged nothing)'

    def stop(self) -> int:
        """Ask it to end, then make it; return its exit code (negative: killed by a signal)."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                self._process.send_signal(number)
            try:
                return self._process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                continue
        return self._process.wait()

    def __enter__(self) -> Program:
        """Return the program itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.stop()
