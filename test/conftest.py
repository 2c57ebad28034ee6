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

"""Marks of the suite; a test whose needs are not met is skipped with the reason."""

import importlib.util
import os

import browser as chromium
from parameter_claims import Claims
import pytest

# Real processes under test keep to this machine and to a domain of this run.
os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
os.environ.setdefault('ROS_LOCALHOST_ONLY', '1')
os.environ.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % 100))
# Message fields refuse wrong types and ranges instead of taking what fits by chance.
os.environ.setdefault('ROS_PYTHON_CHECK_FIELDS', '1')
# Several workers of pytest-xdist: each in a domain of its own, domains 1 to 100.
if worker := os.environ.get('PYTEST_XDIST_WORKER', ''):
    os.environ['ROS_DOMAIN_ID'] = str(
        1 + (int(os.environ['ROS_DOMAIN_ID']) + 30 * int(worker[2:])) % 100)

WEIGHTS = 'DEPTH_ANYTHING_TEST_WEIGHTS'


def missing(mark):
    """Return why tests of a mark cannot run here, or None."""
    if mark == 'gpu':
        if importlib.util.find_spec('torch') is None:
            return 'torch is not installed'
        import torch
        return None if torch.cuda.is_available() else 'no CUDA device'
    if mark == 'ros':
        from depth_anything_ros.interfaces import ros_problem
        return ros_problem()
    if mark == 'weights':
        return None if os.environ.get(WEIGHTS) else f'{WEIGHTS} names no folder of weights'
    if mark == 'builds':
        return (None if os.environ.get('DEPTH_ANYTHING_TEST_BUILDS') == '1'
                else 'minutes of building: set DEPTH_ANYTHING_TEST_BUILDS=1, or run scripts/test')
    return None


def pytest_configure(config):
    config.pluginmanager.register(Claims(), 'claims')


def pytest_collection_modifyitems(items):
    reasons = {}
    for item in items:
        for mark in ('gpu', 'ros', 'weights', 'builds'):
            if item.get_closest_marker(mark) is None:
                continue
            if mark not in reasons:
                reasons[mark] = missing(mark)
            if reasons[mark]:
                item.add_marker(pytest.mark.skip(reason=reasons[mark]))


@pytest.fixture(scope='session')
def shared_browser(tmp_path_factory):
    """One Chromium for the whole run, started by the first test that asks for it."""
    problem = chromium.problem()
    if problem is not None and chromium.required():
        pytest.fail(problem)
    if problem is not None:
        pytest.skip(problem)
    driver = chromium.start(tmp_path_factory.mktemp('chromium'))
    yield driver
    driver.quit()


@pytest.fixture
def browser(shared_browser):
    """Return a driver with an empty window; how to use it is in browser.py."""
    chromium.fresh_window(shared_browser)
    return shared_browser
