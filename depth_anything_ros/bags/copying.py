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

"""Records of the input bag handed on as they are."""

from __future__ import annotations

from typing import Collection

from depth_anything_ros.bags.library import (
    Connection,
    ConnectionExtRosbag2,
    get_types_from_idl,
    get_types_from_msg,
    get_typestore,
    MessageDefinitionFormat,
    STORE,
    Stores,
)
from depth_anything_ros.bags.notes import Notes
from depth_anything_ros.bags.reading import InputBag
from depth_anything_ros.bags.records import Record
from depth_anything_ros.bags.writing import OutputBag
from depth_anything_ros.errors import ConfigError

Key = tuple[int, str, str]


class Copies:
    """The topics of the input bag that are in the output bag, too."""

    def __init__(self, target: OutputBag, notes: Notes) -> None:
        """
        Copy nothing yet.

        :param target: where records go.
        :param notes: is told which topics cannot be copied.
        """
        self._target = target
        self._notes = notes
        self._added: dict[Key, Connection | None] = {}

    def write(self, connection: Connection, record: Record) -> None:
        """Write a record; to be called inside ``OutputBag.later`` only."""
        key = id(connection.owner), connection.topic, connection.msgtype
        if key not in self._added:
            self._added[key] = self._add(connection)
        added = self._added[key]
        if added is not None:
            self._target.write_on(added, record.time_ns, record.data)

    def _add(self, source: Connection) -> Connection | None:
        for known in self._target.writer.connections:
            if (known.topic, known.msgtype) == (source.topic, source.msgtype):
                return known
        definition = definition_of(source)
        if definition is None:
            self._notes.once(
                f'copy {source.topic}', f'{source.topic} is not copied: the bag does not define '
                f'{source.msgtype}')
            return None
        text, digest = definition
        extension = source.ext
        assert isinstance(extension, ConnectionExtRosbag2)  # the reader reads rosbag2 only
        return self._target.writer.add_connection(
            source.topic, source.msgtype, msgdef=text, rihs01=digest,
            serialization_format=extension.serialization_format,
            offered_qos_profiles=extension.offered_qos_profiles)


def definition_of(source: Connection) -> tuple[str, str] | None:
    """
    Return the definition of a topic's messages and its hash (RIHS01), None when nobody knows it.

    :param source: a topic of the input bag; its own definition counts where it has one.
    """
    kind, text = source.msgdef
    if kind is MessageDefinitionFormat.NONE:
        if source.msgtype not in STORE.fielddefs:
            return None
        return STORE.generate_msgdef(source.msgtype, ros_version=2)[0], \
            STORE.hash_rihs01(source.msgtype)
    if source.digest:
        return text, source.digest
    try:
        store = get_typestore(Stores.EMPTY)
        store.register(
            get_types_from_msg(text, source.msgtype) if kind is MessageDefinitionFormat.MSG
            else get_types_from_idl(text))
        return text, store.hash_rihs01(source.msgtype)
    except Exception:
        # A definition that rosbags cannot parse has no hash, without which nothing is written.
        return None


def check_names(source: InputBag, outputs: Collection[str]) -> None:
    """
    Refuse to mix what is recorded with what is computed.

    :param source: the input bag.
    :param outputs: full names of the topics that are computed.
    :raises ConfigError: when a topic would be both.
    """
    both = [topic.name for topic in source.topics if topic.name in outputs]
    if both:
        raise ConfigError(
            f'the bag has {", ".join(both)} already; give --namespace, or leave --copy-input out')
