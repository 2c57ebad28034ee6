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

"""Asks a ZMQ bridge without end, from several threads; the last line says what came of it."""

from collections import Counter
import json
import sys
import threading
import time

from depth_anything_ros.clients.zeromq import ZmqClient
from depth_anything_ros.errors import DepthAnythingError
import numpy as np

CLIENTS = 8


def ask(address, image, K, end, counts):
    with ZmqClient(address) as client:
        while time.monotonic() < end:
            try:
                client.estimate(image, K)
                counts['done'] += 1
            except DepthAnythingError as error:
                counts[error.code] += 1
                time.sleep(0.005)


def main():
    address, seconds = sys.argv[1], float(sys.argv[2])
    image, K = np.zeros((30, 40, 3), np.uint8), np.diag([40.0, 40.0, 1.0])
    counts = [Counter() for _ in range(CLIENTS)]
    end = time.monotonic() + seconds
    threads = [threading.Thread(target=ask, args=(address, image, K, end, each))
               for each in counts]
    print('flooding', flush=True)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(sum(counts, Counter())), flush=True)


if __name__ == '__main__':
    main()
