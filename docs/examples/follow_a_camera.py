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
Follow a robot's camera without ROS and without this package: pyzmq and numpy alone.

``python follow_a_camera.py tcp://robot.local:5556 front/points``

The node publishes with ``bridges.pub.enabled:=true``; the message is docs/wire-format.md, sections
2 and 3.
"""

import argparse
import json

import numpy as np
import zmq

ALIGNMENT = 64


def padded(size):
    """Return a size as a multiple of the alignment."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def read(message):
    """Return the header of a message and its arrays by name, views of it."""
    start = padded(message.index(b'\0') + 1)
    assert message[start:start + 4] == b'DAR1'
    at = start + 8 + int.from_bytes(message[start + 4:start + 8], 'little')
    header, arrays = json.loads(message[start + 8:at]), {}
    for entry in header['arrays']:
        kind = np.dtype(entry['dtype']).newbyteorder('<')
        count = int(np.prod(entry['shape']))
        arrays[entry['name']] = np.frombuffer(message, kind, count, at).reshape(entry['shape'])
        at += padded(count * kind.itemsize)
    return header, arrays


def main():
    """Say what comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('address')
    parser.add_argument('topic', help='CAMERA/OUTPUT, such as front/points or camera/depth')
    parser.add_argument('--count', type=int, default=0, help='end after so many; 0: never')
    arguments = parser.parse_args()
    subscriber = zmq.Context.instance().socket(zmq.SUB)
    subscriber.setsockopt(zmq.CONFLATE, 1)  # before connect: the newest message alone is kept
    subscriber.setsockopt(zmq.SUBSCRIBE, arguments.topic.encode() + b'\0')
    subscriber.connect(arguments.address)
    seen = last = 0
    while not arguments.count or seen < arguments.count:
        header, arrays = read(subscriber.recv())
        missed = header['sequence'] - last - 1 if last else 0
        seen, last = seen + 1, header['sequence']
        rest = ''.join(f', {name} {array.shape}' for name, array in arrays.items()
                       if name != 'depth')
        seconds, nanoseconds = divmod(header['stamp_ns'], 10 ** 9)
        print(f'{seconds}.{nanoseconds:09d} s, depth {arrays["depth"].shape} '
              f'{header["units"]}, median {np.nanmedian(arrays["depth"]):.3f}{rest}, '
              f'{missed} missed', flush=True)


if __name__ == '__main__':
    main()
