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

"""The benchmark of reconstructions runs, and compares what it says it compares."""

from bench.noisy_room import EXACT, NoisyRoom
from bench.reconstruction import cost_rows, drift_rows
from depth_anything_ros.engine.given_views import GivenViewsEngine
from depth_anything_ros.service import DepthService


def test_cost_and_drift_have_every_row():
    # 9 images, 2 rounds and 2 more: the room that the benchmark renders too.
    service = DepthService(GivenViewsEngine(NoisyRoom(13, EXACT, 84, 70).views))
    try:
        rows = {row['what']: row for row in cost_rows(service, 2, (4, 9), (84, 70))}
    finally:
        service.close()
    assert set(rows) == {
        'add to 4 / all of 5', 'add to 9 / all of 10', 'add to 9 / add to 4',
        'all of 10 / all of 5'}
    assert rows['add to 9 / add to 4']['bar'] == {'kind': 'at most', 'limit': 1.3}
    assert all(row['value']['count'] == 2 for row in rows.values())
    drift, = drift_rows((24,))
    assert drift['holds'] and drift['value']['median'] > 0.5
