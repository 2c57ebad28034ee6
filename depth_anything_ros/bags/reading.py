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

"""A bag to read: what is in it, and its records in the order of time."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Collection, Iterator

from depth_anything_ros.bags.library import Connection, Reader
from depth_anything_ros.bags.records import Record, Topic
from depth_anything_ros.errors import ConfigError, InvalidRequest

ACCEPTED = 'accepted: a rosbag2 folder (with metadata.yaml), an .mcap or a .db3 file'


class InputBag:
    """An open rosbag2: a folder of sqlite3 or mcap files, or a single such file."""

    def __init__(self, path: Path) -> None:
        """
        Open a bag.

        :param path: folder or file.
        :raises ConfigError: when it is not a bag, or not a whole one.
        """
        self.path = path
        refuse_what_is_no_bag(path)
        try:
            self._reader = Reader(path)
            self._reader.open()
        except Exception as error:
            # A damaged file surfaces in rosbags as many kinds of error.
            raise ConfigError(
                f'{path} cannot be read as a bag: {error or type(error).__name__}; a recording '
                'that was cut off can be repaired with "ros2 bag reindex" (folder) or '
                '"mcap recover" (file)') from None

    @property
    def storage(self) -> str:
        """Return ``mcap`` or ``sqlite3``."""
        files = self.path.iterdir() if self.path.is_dir() else [self.path]
        return 'mcap' if any('.mcap' in file.suffixes for file in files) else 'sqlite3'

    @property
    def connections(self) -> list[Connection]:
        """Return the library's own description of the topics."""
        return self._reader.connections

    @property
    def topics(self) -> list[Topic]:
        """Return the topics, sorted by name."""
        counts: dict[tuple[str, str], int] = {}
        for connection in self.connections:
            key = connection.topic, connection.msgtype
            counts[key] = counts.get(key, 0) + connection.msgcount
        return [Topic(*key, count) for key, count in sorted(counts.items())]

    def records(self, topics: Collection[str]) -> Iterator[tuple[Connection, Record]]:
        """
        Return the records of some topics as they were received.

        :param topics: names.
        :raises InvalidRequest: where the bag cannot be read further.
        """
        connections = [item for item in self.connections if item.topic in topics]
        if not connections:  # rosbags takes none for all
            return
        messages = self._reader.messages(connections)
        while True:
            try:
                connection, time_ns, data = next(messages)
            except StopIteration:
                return
            except Exception as error:
                raise InvalidRequest(
                    f'{self.path} cannot be read further: {error or type(error).__name__}'
                ) from None
            yield connection, Record(connection.topic, connection.msgtype, time_ns, data)

    def first(self, topic: str) -> Record | None:
        """
        Return the first record of a topic, None where there is none.

        :raises InvalidRequest: where the bag cannot be read.
        """
        return next((record for _, record in self.records([topic])), None)

    def close(self) -> None:
        """Close the files."""
        self._reader.close()

    def __enter__(self) -> InputBag:
        """Return the bag itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the files."""
        self.close()


def refuse_what_is_no_bag(path: Path) -> None:
    """
    Say what is there in place of a bag.

    :raises ConfigError: when it cannot be a rosbag2.
    """
    if not path.exists():
        raise ConfigError(f'no such bag: {path}; {ACCEPTED}')
    if path.is_file() and path.suffix == '.bag':
        raise ConfigError(
            f'{path} is a ROS 1 bag; convert it first: rosbags-convert --src {path} --dst FOLDER')
    if path.is_file() and path.suffix not in ('.mcap', '.db3'):
        raise ConfigError(f'{path} is not a bag; {ACCEPTED}')
    if path.is_dir() and not (path / 'metadata.yaml').is_file():
        files = sorted(item.name for item in path.iterdir() if item.suffix in ('.mcap', '.db3'))
        advice = ''
        if files:
            advice = (f'; there is {", ".join(files)}: a recorder that was killed leaves no '
                      'metadata.yaml. Name the file itself, or run "ros2 bag reindex"')
        raise ConfigError(f'{path} has no metadata.yaml{advice}; {ACCEPTED}')
