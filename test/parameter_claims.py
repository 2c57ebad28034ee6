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

"""
Holds ``parameter_tests.py`` to its word.

A test that is named there for a setting must set it to something else than its default: by the
schema's own ``changed``, whoever calls it, or by ``-p`` of a process. Where it does not, the last
test of the file fails, once all of the named test has passed.
"""

from collections import Counter, defaultdict
from contextlib import contextmanager

from depth_anything_ros import settings
from parameter_tests import TESTS
import pytest

DEFAULTS = {item.name: item.default for item in settings.describe()}
_seen = set()


def note(values):
    """Note what is set, by name; a default changes nothing."""
    _seen.update(name for name, value in values.items()
                 if name in DEFAULTS and value != DEFAULTS[name])


@contextmanager
def noted():
    """Let the schema tell of every change while the block lasts."""
    replaced = settings._replaced

    def telling(group, changes):
        if isinstance(group, settings.Settings):
            note(changes)
        return replaced(group, changes)

    settings._replaced = telling
    try:
        yield
    finally:
        settings._replaced = replaced


def test_of(item):
    """Return the file below ``test/`` and the test, as the table names them."""
    return str(item.path).rpartition('/test/')[2], getattr(item, 'originalname', item.name)


class Claims:
    """The hooks of pytest."""

    def __init__(self):
        self._promised = defaultdict(set)
        for setting, test in TESTS.items():
            self._promised[tuple(test.split('::'))].add(setting)
        self._passed = Counter()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtestloop(self):
        """Listen as long as tests run."""
        with noted():
            yield

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item, call):
        """Count what has passed."""
        outcome = yield
        if call.when == 'call' and outcome.get_result().passed:
            self._passed[test_of(item)] += 1

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self, item, nextitem):
        """Look at a file when its last test is over."""
        file, _ = test_of(item)
        if nextitem is not None and test_of(nextitem)[0] == file:
            return
        items = Counter(map(test_of, item.session.items))
        kept = {test: settings - _seen for test, settings in self._promised.items()
                if test[0] == file and 0 < self._passed[test] == items[test]}
        _seen.clear()
        for (_, test), names in kept.items():
            assert not names, f'{test} leaves {sorted(names)} at the default'
