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

"""What is chosen where nothing is said, and what is refused with which words."""

from bag_parts import camera_bag, given_depth
from depth_anything_ros.bags.library import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE, POINT_CLOUD
from depth_anything_ros.bags.outputs import choose_outputs
from depth_anything_ros.bags.reading import InputBag
from depth_anything_ros.bags.records import Topic
from depth_anything_ros.bags.topics import choose_image_topic, choose_info_topic, namespace_of
from depth_anything_ros.bags.writing import check_place, make_place
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.errors import ConfigError
import pytest

RAW = Topic('/cam/image_raw', IMAGE, 5)
SMALL = Topic('/cam/image_raw/compressed', COMPRESSED_IMAGE, 5)
INFO = Topic('/cam/camera_info', CAMERA_INFO, 5)
OTHER_INFO = Topic('/rear/camera_info', CAMERA_INFO, 5)
CLOUD = Topic('/lidar/points', POINT_CLOUD, 9)


def test_the_only_image_topic_and_its_neighbour_are_taken():
    topics = [CLOUD, OTHER_INFO, INFO, RAW, Topic('/empty/image', IMAGE, 0)]
    assert choose_image_topic(topics, '') is RAW
    assert choose_info_topic(topics, RAW, '') is INFO
    assert choose_info_topic(topics, SMALL, '') is INFO
    assert choose_info_topic([OTHER_INFO, RAW], RAW, '') is OTHER_INFO
    third = Topic('/left/camera_info', CAMERA_INFO, 5)
    assert choose_info_topic([OTHER_INFO, third], RAW, '') is None
    assert choose_info_topic(topics, RAW, 'rear/camera_info') is OTHER_INFO


@pytest.mark.parametrize(('topics', 'wanted', 'words'), [
    ([CLOUD, INFO], '', ['no images', '/lidar/points  sensor_msgs/msg/PointCloud2  9 messages']),
    ([], '', ['no images', '(none)']),
    ([RAW, SMALL], '', ['several', '--image-topic', RAW.name + ' ', SMALL.name + ' ']),
    ([RAW, CLOUD], '/nothing', ['is not in the bag', RAW.name]),
    ([RAW, CLOUD], '/lidar/points', ['is a sensor_msgs/msg/PointCloud2', RAW.name]),
])
def test_what_cannot_be_chosen_is_listed(topics, wanted, words):
    with pytest.raises(ConfigError) as refused:
        choose_image_topic(topics, wanted)
    for word in words:
        assert word in str(refused.value)


def test_an_image_topic_is_no_camera_info():
    with pytest.raises(ConfigError, match='is a sensor_msgs/msg/Image'):
        choose_info_topic([RAW, INFO], RAW, RAW.name)


def test_namespaces_are_ros_names():
    assert [namespace_of(text) for text in ('', '/', 'front', '/front/left_1/')] == \
        ['', '', '/front', '/front/left_1']
    for text in ('1front', 'a//b', 'front camera', 'ä'):
        with pytest.raises(ConfigError, match='not a ROS name'):
            namespace_of(text)


def test_a_model_without_a_unit_fills_no_metric_topic():
    def chosen(wanted, kind):
        return choose_outputs(wanted, GivenDepthEngine(given_depth, kind=kind).info)

    assert chosen((), DepthKind.RELATIVE) == \
        ('depth/relative', 'depth/camera_info', 'depth/preview')
    assert chosen(('depth/points', 'depth/image'), DepthKind.CANONICAL) == \
        ('depth/image', 'depth/points')
    for name, kind in (('depth/points', DepthKind.RELATIVE), ('depth/relative', DepthKind.METRIC)):
        with pytest.raises(ConfigError, match='cannot be filled'):
            chosen((name,), kind)
    with pytest.raises(ConfigError, match="unknown topic 'depth'"):
        chosen(('depth',), DepthKind.METRIC)
    with pytest.raises(ConfigError, match='cannot be filled by given'):
        chosen(('sky/mask',), DepthKind.METRIC)


def test_what_is_no_bag_is_named(tmp_path):
    (tmp_path / 'text.txt').write_text('no bag')
    (tmp_path / 'old.bag').write_text('#ROSBAG V2.0')
    (tmp_path / 'cut.mcap').write_bytes(b'\x89MCAP0\r\n')
    (tmp_path / 'folder').mkdir()
    killed = camera_bag(tmp_path / 'killed', 1)
    (killed / 'metadata.yaml').unlink()
    for name, words in (
            ('missing', 'no such bag'), ('text.txt', 'is not a bag'), ('old.bag', 'ROS 1'),
            ('cut.mcap', 'mcap recover'), ('folder', 'no metadata.yaml; accepted'),
            ('killed', 'killed.db3')):
        with pytest.raises(ConfigError, match=words):
            InputBag(tmp_path / name)
    with InputBag(killed / 'killed.db3') as bag:
        assert [topic.count for topic in bag.topics] == [1, 1]


def test_only_an_older_bag_is_replaced_and_never_the_one_that_is_read(tmp_path):
    source = camera_bag(tmp_path / 'in', 1, 'mcap')
    older = camera_bag(tmp_path / 'older', 1)
    check_place(tmp_path / 'new', source, overwrite=False)
    with pytest.raises(ConfigError, match='--overwrite'):
        check_place(older, source, overwrite=False)
    check_place(older, source, overwrite=True)
    make_place(older)
    assert not older.exists()
    (tmp_path / 'home').mkdir()
    (tmp_path / 'home' / 'thesis.txt').write_text('years of work')
    (tmp_path / 'link').symlink_to(tmp_path / 'home')
    for place, words in ((source, 'bag that is read'), (tmp_path, 'bag that is read'),
                         (tmp_path / 'home', 'not a rosbag2 folder'),
                         (tmp_path / 'link', 'not a rosbag2 folder'),
                         (tmp_path / 'out.mcap', 'is a folder')):
        with pytest.raises(ConfigError, match=words):
            check_place(place, source, overwrite=True)
    with pytest.raises(ConfigError, match='bag that is read'):
        check_place(source, source / 'in.mcap', overwrite=True)
    assert (tmp_path / 'home' / 'thesis.txt').is_file()
