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

import sys

from depth_anything_ros.process import choose_profile, PROFILE_VARIABLES, profile_variables
import pytest

NEW, OLD = PROFILE_VARIABLES


@pytest.mark.parametrize('installed, expected', [
    (['fastdds'], (NEW,)), (['fastrtps'], (OLD,)), (['fastdds', 'fastrtps'], (NEW, OLD)),
    ([], (NEW, OLD))])
def test_the_variable_is_that_of_the_installed_fast_dds(
        tmp_path, monkeypatch, installed, expected):
    monkeypatch.setattr(sys, 'prefix', str(tmp_path / 'python'))
    for name in installed:
        (tmp_path / 'ros' / 'share' / name).mkdir(parents=True)
    environment = {'AMENT_PREFIX_PATH': str(tmp_path / 'ros')}
    assert profile_variables(environment) == expected
    profile, text = choose_profile(environment)
    if profile is None:
        pytest.skip(text)
    assert [name for name in PROFILE_VARIABLES if name in environment] == list(expected)
    # A program that this one starts is told the same, and not that somebody else has chosen.
    assert choose_profile(environment) == (profile, text)


def test_what_the_user_has_set_stays():
    environment = {OLD: '/etc/mine.xml'}
    profile, text = choose_profile(environment)
    assert profile is None and '/etc/mine.xml' in text
    assert environment == {OLD: '/etc/mine.xml'}
