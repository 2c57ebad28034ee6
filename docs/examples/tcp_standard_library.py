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
Depth of a picture from the raw TCP bridge, with Python's standard library alone.

``python tcp_standard_library.py photo.jpg depth.pfm --port 9000 --fov 70``

The file that is written is a portable float map, which OpenCV and most image tools read. The
message is described in docs/wire-format.md, sections 1 to 3.
"""

import argparse
import array
import json
import os
import socket
import struct
import sys

START = struct.Struct('<4sI')
ALIGNMENT = 64


def padded(size):
    """Return a size as a multiple of the alignment."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def request(picture, **asked):
    """Return a message with an encoded picture."""
    header = json.dumps({
        'command': 'inference', **asked,
        'arrays': [{'name': 'image', 'dtype': 'uint8', 'shape': [len(picture)]}]}).encode()
    size = padded(START.size + len(header)) - START.size
    body = START.pack(b'DAR1', size) + header.ljust(size) + picture.ljust(
        padded(len(picture)), b'\0')
    return struct.pack('!I', len(body)) + body


def receive(connection, size):
    """Return so many bytes of a connection."""
    data = bytearray()
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionError('the server has ended the connection')
        data += part
    return bytes(data)


def reply(connection):
    """Return the header of a reply and the bytes of its arrays by name."""
    body = receive(connection, *struct.unpack('!I', receive(connection, 4)))
    magic, size = START.unpack_from(body)
    assert magic == b'DAR1'
    header, at, arrays = json.loads(body[START.size:START.size + size]), START.size + size, {}
    width = {'float32': 4, 'uint8': 1, 'bool': 1}
    for entry in header['arrays']:
        length = width[entry['dtype']]
        for side in entry['shape']:
            length *= side
        arrays[entry['name']] = body[at:at + length]
        at += padded(length)
    return header, arrays


def main():
    """Ask for a depth and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('picture')
    parser.add_argument('output')
    parser.add_argument('--host', default='127.0.0.1')
    parser.add_argument('--port', type=int, default=9000)
    parser.add_argument('--fov', type=float, default=0.0, help='horizontal, degrees')
    arguments = parser.parse_args()
    with open(arguments.picture, 'rb') as file:
        picture = file.read()
    with socket.create_connection((arguments.host, arguments.port), 60) as connection:
        connection.sendall(request(
            picture, fov_deg=arguments.fov, api_key=os.environ.get('DEPTH_ANYTHING_API_KEY', '')))
        header, arrays = reply(connection)
    if header['type'] == 'error':
        print(header['error'], file=sys.stderr)
        return 1
    height, width = header['arrays'][0]['shape']
    depth = array.array('f', arrays['depth'])
    if sys.byteorder == 'big':
        depth.byteswap()
    valid = sorted(value for value in depth if value == value)
    middle = valid[len(valid) // 2] if valid else float('nan')
    print(f'{width}x{height}, median {middle:.3f} {header["units"]}, {header["model"]}, '
          f'camera {header["intrinsics"]}')
    with open(arguments.output, 'wb') as file:
        file.write(b'Pf\n%d %d\n-1.0\n' % (width, height))
        for row in reversed(range(height)):
            file.write(arrays['depth'][4 * width * row:4 * width * (row + 1)])
    return 0


if __name__ == '__main__':
    sys.exit(main())
