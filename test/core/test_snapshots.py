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

"""Where snapshots are written, and where they are never written."""

import os

from depth_anything_ros.core.snapshots import write_snapshot
from depth_anything_ros.errors import ConfigError, LimitExceeded
import pytest

FILES = {'a.png': b'picture', 'b.npy': b'numbers'}


def test_a_snapshot_is_a_private_folder_of_its_own(tmp_path):
    first = write_snapshot(str(tmp_path), '12.000000005_front', FILES, 9)
    again = write_snapshot(str(tmp_path), '12.000000005_front', FILES, 9)
    assert first == str(tmp_path / '12.000000005_front') and again == f'{first}-2'
    for folder in (first, again):
        assert os.stat(folder).st_mode & 0o777 == 0o700
        assert {name: open(os.path.join(folder, name), 'rb').read()
                for name in os.listdir(folder)} == FILES
        assert all(os.stat(os.path.join(folder, name)).st_mode & 0o777 == 0o600
                   for name in FILES)
    assert len(os.listdir(tmp_path)) == 2, 'nothing half done stays'


@pytest.mark.parametrize('name', ['../out', '/etc/x', '..', 'a/../../b', '.hidden', '\0'])
def test_no_name_leads_outside(tmp_path, name):
    inside = tmp_path / 'inside'
    inside.mkdir()
    path = write_snapshot(str(inside), name, FILES, 9)
    assert os.path.dirname(os.path.realpath(path)) == str(inside)
    assert os.listdir(tmp_path) == ['inside'] and not os.path.basename(path).startswith('.')


def test_a_link_of_the_same_name_is_not_followed(tmp_path):
    inside, outside = tmp_path / 'inside', tmp_path / 'outside'
    inside.mkdir()
    outside.mkdir()
    (inside / '1.0').symlink_to(outside, target_is_directory=True)
    assert write_snapshot(str(inside), '1.0', FILES, 9).endswith('1.0-2')
    assert not os.listdir(outside)


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(ConfigError, match='not an existing folder'):
        write_snapshot(str(tmp_path / 'missing'), '1', FILES, 9)
    with pytest.raises(LimitExceeded, match='cannot write'):
        write_snapshot(str(tmp_path), '1', {'good': b'1', 'no/such/folder': b''}, 9)
    assert not os.listdir(tmp_path)
    write_snapshot(str(tmp_path), '1', FILES, 1)
    with pytest.raises(LimitExceeded, match='snapshot.max_count'):
        write_snapshot(str(tmp_path), '2', FILES, 1)
