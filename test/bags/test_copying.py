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

"""What was recorded is handed on unchanged beside what is computed."""

from bag_parts import (
    camera_bag,
    camera_info,
    convert,
    image,
    IMAGE_TOPIC,
    INFO_TOPIC,
    read_bag,
    received,
    write_bag,
)
from depth_anything_ros.bags.library import (
    get_types_from_msg,
    get_typestore,
    Reader,
    StoragePlugin,
    Stores,
    Writer,
)
from depth_anything_ros.bags.reading import InputBag
import pytest


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
def test_records_of_the_input_are_byte_equal_in_the_output(tmp_path, storage):
    source = camera_bag(tmp_path / 'in', 6, storage)
    convert(source, tmp_path / 'out', copy_input=True, topics=('depth/image',))
    before, after = read_bag(source), read_bag(tmp_path / 'out')
    assert set(after) == {IMAGE_TOPIC, INFO_TOPIC, '/depth/image'}
    for topic, records in before.items():
        assert after[topic] == records
    with InputBag(source) as old, InputBag(tmp_path / 'out') as new:
        assert {str(topic) for topic in old.topics} < {str(topic) for topic in new.topics}


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
def test_messages_that_we_do_not_know_keep_their_definition(tmp_path, storage):
    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_msg('uint8 state\nfloat64 level', 'robot/msg/Battery'))
    data = store.serialize_cdr(store.types['robot/msg/Battery'](state=3, level=0.5),
                               'robot/msg/Battery')
    source = write_bag(tmp_path / 'plain', [image(0), camera_info(0)], storage)
    own = tmp_path / 'in'
    with InputBag(source) as plain, Writer(
            own, version=8, storage_plugin=StoragePlugin[storage.upper()]) as writer:
        from depth_anything_ros.bags.library import STORE
        for connection, record in plain.records({IMAGE_TOPIC, INFO_TOPIC}):
            added = writer.add_connection(connection.topic, connection.msgtype, typestore=STORE)
            writer.write(added, record.time_ns, record.data)
        battery = writer.add_connection('/battery', 'robot/msg/Battery', typestore=store)
        writer.write(battery, received(0), data)
    convert(own, tmp_path / 'out', copy_input=True)
    assert read_bag(tmp_path / 'out')['/battery'] == [(received(0), bytes(data))]
    with Reader(own) as old, Reader(tmp_path / 'out') as new:
        definitions = [next(item.msgdef for item in bag.connections if item.topic == '/battery')
                       for bag in (old, new)]
    assert definitions[0] == definitions[1]
    assert 'float64 level' in definitions[1].data
