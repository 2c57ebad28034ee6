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

"""The benchmark of the REST bridge runs, and compares what it says it compares."""

from bench import rest


def test_a_short_run_has_every_row():
    rows = {row['what']: row for row in rest.measure(rounds=3, each=2)}
    overhead = rows['binary route / echo of pixels']
    assert overhead['bar'] == {'kind': 'at most', 'limit': 1.5}
    assert overhead['value']['count'] == 3 and overhead['value']['median'] > 0
    assert 'route of the seed / bare echo' in rows and 'JPEG route / bare decoder' in rows
    for count in rest.AT_ONCE:
        for name in ('binary route', 'echo for the binary route'):
            row = rows[f'{name}, {count} at once: p50, ms']
            assert 0 < row['value']['median'] <= row['p99'] and row['refused'] >= 0
    assert rows['echo for the JPEG route, 64 at once: p50, ms']['refused'] == 0
