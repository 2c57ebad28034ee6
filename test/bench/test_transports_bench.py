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

"""The benchmark of the transports runs, and compares what it says it compares."""

from bench import transports
import numpy as np


def test_a_short_run_has_every_row():
    rows = {row['what']: row for row in transports.measure(rounds=3)}
    for size in ('640x480', '1920x1080'):
        for name in ('zmq', 'tcp'):
            row = rows[f'{size}: {name}, our form / {name}, bare echo']
            assert row['bar'] == {'kind': 'at most', 'limit': 1.3}
            assert row['value']['count'] == 3 and row['value']['median'] > 0
        assert f'{size}: zmq, pickles of the seed / zmq, bare echo' in rows
        assert rows[f'{size}: read, next of a client / pickle.loads']['bar']['limit'] == 1.5
        assert rows[f'{size}: tcp, least program / tcp, bare echo']['bar'] is None
    assert len(rows) == 28


def test_the_engine_of_the_benchmark_hands_out_what_it_has():
    from depth_anything_ros.core.frame import Frame
    from depth_anything_ros.core.options import FrameOptions
    engine = transports.ReadyEngine()
    depths = [engine.finish(*engine.infer([engine.prepare(
        Frame(np.zeros((6, 8, 3), np.uint8)), FrameOptions())])).depth for _ in range(2)]
    assert depths[0] is depths[1] and depths[0].shape == (6, 8)
