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

"""A bag to write, in a thread of its own."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
import shutil
from types import TracebackType
from typing import Callable, Mapping

from depth_anything_ros.bags.library import (
    Connection,
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
    StoragePlugin,
    STORE,
    Writer,
)
from depth_anything_ros.errors import ConfigError, DepthAnythingError

_FOREVER = QosTime(9223372036, 854775807)

OFFERED = Qos(
    QosHistory.KEEP_LAST, 1, QosReliability.RELIABLE, QosDurability.VOLATILE, _FOREVER, _FOREVER,
    QosLiveliness.AUTOMATIC, _FOREVER, False)
"""How the node offers its outputs, so that a replay does the same."""


class OutputBag:
    """
    An open rosbag2 folder; complete once it is closed.

    Everything is written by one thread, in the order of :meth:`later`, beside the caller's work.
    """

    def __init__(self, path: Path, storage: str, topics: Mapping[str, str]) -> None:
        """
        Make the folder.

        :param path: folder, which must not exist.
        :param storage: ``mcap`` or ``sqlite3``.
        :param topics: type of every topic that :meth:`write` is used for.
        :raises ConfigError: when it cannot be made.
        """
        self.path = path
        self._connections: dict[str, Connection] = {}
        # sqlite3 lets no other thread write than the one that opened the file.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix='bag-writer')
        try:
            self._thread.submit(self._open, path, storage, topics).result()
        except Exception as error:
            self._thread.shutdown()
            raise ConfigError(f'{path} cannot be written: {error}') from None

    def _open(self, path: Path, storage: str, topics: Mapping[str, str]) -> None:
        # Version 9 spells QoS in a way that Jazzy and older do not read.
        self._writer = Writer(path, version=8, storage_plugin=StoragePlugin[storage.upper()])
        self._writer.open()
        for name, kind in topics.items():
            self._connections[name] = self._writer.add_connection(
                name, kind, typestore=STORE, offered_qos_profiles=[OFFERED])

    @property
    def writer(self) -> Writer:
        """Return the library's writer, to be used inside :meth:`later` only."""
        return self._writer

    def later(self, job: Callable[[], None]) -> Future[None]:
        """Run a job in the writing thread after all earlier ones."""
        return self._thread.submit(job)

    def write(self, topic: str, time_ns: int, data: bytes | memoryview) -> None:
        """
        Write a message; to be called inside :meth:`later` only.

        :param topic: one of the topics that the bag was made with.
        :param time_ns: receive time in nanoseconds.
        :param data: the message as CDR bytes.
        :raises DepthAnythingError: when it cannot be written.
        """
        self.write_on(self._connections[topic], time_ns, data)

    def write_on(self, connection: Connection, time_ns: int, data: bytes | memoryview) -> None:
        """Write a message on a connection that was added to :attr:`writer`; as :meth:`write`."""
        try:
            self._writer.write(connection, time_ns, data)
        except Exception as error:
            raise DepthAnythingError(f'{self.path} cannot be written further: {error}') from error

    def close(self) -> None:
        """
        Wait for what is to be written, then complete the bag.

        :raises DepthAnythingError: when it cannot be completed.
        """
        try:
            self._thread.submit(self._writer.close).result()
        except Exception as error:
            raise DepthAnythingError(f'{self.path} cannot be completed: {error}') from error
        finally:
            self._thread.shutdown()

    def __enter__(self) -> OutputBag:
        """Return the bag itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Complete the bag, also after an error: what was written so far can be read."""
        self.close()


def check_place(output: Path, source: Path, *, overwrite: bool) -> None:
    """
    Refuse a place that a bag cannot be written to.

    :param output: folder to write.
    :param source: the bag that is read.
    :param overwrite: whether an older bag may be there.
    :raises ConfigError: when something is there that must stay.
    """
    if output.suffix in ('.mcap', '.db3', '.bag'):
        raise ConfigError(
            f'{output} looks like a file; a rosbag2 is a folder with metadata.yaml and the '
            f'{output.suffix} inside: name it {output.with_suffix("")}')
    if not output.exists() and not output.is_symlink():
        return
    if not overwrite:
        raise ConfigError(f'{output} exists; give another name, or --overwrite to replace it')
    here, there = output.resolve(), source.resolve()
    if here == there or here in there.parents:
        raise ConfigError(f'{output} holds the bag that is read; give another name')
    if output.is_symlink() or not is_bag_folder(output):
        raise ConfigError(
            f'{output} is not a rosbag2 folder, so it is not replaced; give another name')


def is_bag_folder(path: Path) -> bool:
    """Return whether a folder holds files of one rosbag2 and nothing else."""
    if not path.is_dir():
        return False
    return all(
        item.is_file() and (item.name == 'metadata.yaml' or {'.mcap', '.db3'} & {*item.suffixes})
        for item in path.iterdir())


def make_place(output: Path) -> None:
    """Remove the older bag that :func:`check_place` allowed to replace, if there is one."""
    if output.exists():
        shutil.rmtree(output)
