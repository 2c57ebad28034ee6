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
Load the golden reply as a client does, with the numpy and Python that run this script.

Needs numpy only and takes warnings as errors, so that it can run in an environment of any age:

    python -W error test/wire/check_reply.py
"""

from __future__ import annotations

from pathlib import Path
import pickle
import sys
import warnings

import numpy as np

REPLY = Path(__file__).parent / 'golden' / 'reply.pkl'


def main() -> None:
    """Check every value of the reply."""
    warnings.simplefilter('error')
    reply = pickle.loads(REPLY.read_bytes())
    expected = np.arange(15, dtype=np.float32).reshape(3, 5) / 4
    expected[1, 2] = np.nan
    depth = reply['depth']
    assert type(depth) is np.ndarray and depth.dtype == np.dtype('<f4'), depth.dtype
    assert depth.flags.c_contiguous and depth.flags.writeable
    np.testing.assert_array_equal(depth, expected)
    np.testing.assert_array_equal(reply['intrinsics'], np.eye(3))
    np.testing.assert_array_equal(reply['list'][0], expected[:2])
    assert reply['list'][1].shape == (1, 2, 3) and reply['list'][1].dtype == np.uint8
    assert reply['list'][2].shape == () and reply['list'][2].dtype == np.bool_
    assert reply['status'] == 'success' and reply['conf'] is None
    assert reply['data'] == {
        'depth': expected.tobytes(), 'shape': [3, 5], 'units': 'm', 'timing': (0.5, 2)}
    assert repr(reply['numbers']) == repr(
        [0, -1, 2**31, -2**63, 2**63 - 1, 1.5, True, False, 0.25, 7, True])
    assert reply['text'] == 'Größe \U0001f916'
    print(f'numpy {np.__version__}, Python {sys.version.split()[0]}: equal')


if __name__ == '__main__':
    main()
