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

"""Depth of many pictures from a server, with progress; one broken picture does not stop it."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
import sys
import time
from typing import Callable, Iterator

from depth_anything_ros.cli.picture import write_depth, write_picture
from depth_anything_ros.cli.progress import Progress
from depth_anything_ros.cli.sequences import RGB, Sequence
from depth_anything_ros.core.pointcloud import write_ply
from depth_anything_ros.core.result import DepthResult
from depth_anything_ros.errors import Busy, ConfigError, InvalidRequest, PayloadTooLarge

FORMATS = ('npy', 'npz', 'png')

PAUSE_S = 0.05
"""Before a server that was busy is asked again."""

Ask = Callable[[RGB], DepthResult]


def run_many(
    arguments: argparse.Namespace, pictures: Sequence, ask: Ask,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """
    Write the files of all pictures and return the exit code: 1 when some have failed.

    :param arguments: ``output``, ``preview`` and ``ply`` name folders here.
    :param pictures: what to ask about.
    :param ask: returns the depth of a picture.
    :param sleep: waits some seconds.
    :raises ConfigError: when there is nowhere to write to.
    :raises DepthAnythingError: when the server is gone, or lets nobody in.
    """
    folders = [item for item in (arguments.output, arguments.preview, arguments.ply) if item]
    if not folders:
        raise ConfigError('nothing to write: name a folder with -o, --preview or --ply')
    if arguments.format == 'png' and arguments.output == arguments.preview:
        raise ConfigError('depths as .png and previews need two folders: both are NAME.png')
    for each in folders:
        if each.exists() and not each.is_dir():
            raise ConfigError(f'{each} is no folder; many pictures need one')
        each.mkdir(parents=True, exist_ok=True)
    progress = Progress(sys.stderr, pictures.count)
    done = failed = 0
    notes: dict[str, None] = {}
    model = ''
    try:
        for name, read in pictures.read():
            try:
                result = patiently(partial(ask, read()), arguments.timeout, sleep)
                write(arguments, name, result)
                model = result.model
                notes.update(dict.fromkeys(result.notes))
            except (InvalidRequest, PayloadTooLarge) as error:
                failed += 1
                progress.say(f'{name}: {error}')
            done += 1
            progress.update(done, failed)
    finally:
        progress.close()
    if model:
        print(f'model       {model}')
    for note in notes:
        print(f'note        {note}')
    print(f'wrote       {done - failed} of {done} to {", ".join(map(str, folders))}')
    return 1 if failed or not done else 0


def patiently(
    ask: Callable[[], DepthResult], timeout: float, sleep: Callable[[float], None],
) -> DepthResult:
    """
    Return a result; a busy server is asked again.

    :param ask: asks once.
    :param timeout: seconds after which it is given up.
    :param sleep: waits some seconds.
    :raises Busy: when the server is busy for all that time.
    """
    for pause in pauses(timeout):
        try:
            return ask()
        except Busy:
            if not pause:
                raise
            sleep(pause)
    raise AssertionError('the last pause is 0')


def pauses(timeout: float) -> Iterator[float]:
    """Yield seconds to wait, each twice as long as the one before, and 0 when it is enough."""
    pause, waited = PAUSE_S, 0.0
    while waited + pause <= timeout:
        yield pause
        waited += pause
        pause = min(2 * pause, 1.0)
    yield 0.0


def write(arguments: argparse.Namespace, name: str, result: DepthResult) -> None:
    """Write the files of one picture that were asked for."""
    if arguments.output:
        write_depth(Path(arguments.output, f'{name}.{arguments.format}'), result)
    if arguments.preview:
        write_picture(Path(arguments.preview, f'{name}.png'), result.picture())
    if arguments.ply:
        write_ply(Path(arguments.ply, f'{name}.ply'), result.points(), result.frame.rgb)
