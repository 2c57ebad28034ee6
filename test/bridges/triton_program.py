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
What NVIDIA's own client, tritonclient, gets from a server; run as a program of its own.

Its gevent stays out of the tests' process. ``python triton_program.py ADDRESS FILE`` writes what
it saw to FILE as npz: arrays, and one JSON text called ``said``.
"""

from __future__ import annotations

import json
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

CAMERA = np.array([[70, 0, 42], [0, 72, 28], [0, 0, 1]], np.float32)


def images(count=1, height=56, width=84):
    rng = np.random.default_rng(5)
    return rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def tensor(name, values, datatype, binary=True):
    found = triton.InferInput(name, list(values.shape), datatype)
    found.set_data_from_numpy(values, binary_data=binary)
    return found


def inputs(pixels, camera=CAMERA, binary=True):
    return [tensor('image', pixels, 'UINT8', binary),
            tensor('intrinsics', camera, 'FP32', binary)]


def failing(call):
    try:
        call()
    except InferenceServerException as error:
        return [error.status(), error.message()]
    return ['200', '']


def main(address, path):
    client = triton.InferenceServerClient(address, network_timeout=60, connection_timeout=60)
    name = client.get_server_metadata() and sys.argv[3]
    said = {
        'live': client.is_server_live(), 'ready': client.is_server_ready(),
        'model ready': client.is_model_ready(name),
        'version ready': client.is_model_ready(name, '1'),
        'other ready': client.is_model_ready('resnet'),
        'other version ready': client.is_model_ready(name, '2'),
        'server': client.get_server_metadata(), 'metadata': client.get_model_metadata(name),
        'config': client.get_model_config(name, '1')}
    one, several = images()[0], images(3)
    wanted = triton.InferRequestedOutput
    arrays = {}

    binary = client.infer(name, inputs(one), request_id='seven')
    arrays['binary'], said['binary'] = binary.as_numpy('depth'), binary.get_response()
    plain = client.infer(
        name, inputs(one, binary=False), '1',
        outputs=[wanted('depth', binary_data=False)])
    arrays['plain'], said['plain'] = plain.as_numpy('depth'), plain.get_response()
    del said['plain']['outputs'][0]['data']
    mixed = client.infer(name, inputs(several), outputs=[
        wanted('sky', binary_data=True), wanted('depth', binary_data=True)])
    arrays['batch'], arrays['sky'] = mixed.as_numpy('depth'), mixed.as_numpy('sky')
    said['batch'] = mixed.get_response()
    both = client.infer(name, [
        tensor('image', one, 'UINT8'), tensor('intrinsics', CAMERA, 'FP32', False)], outputs=[
            wanted('sky', binary_data=False), wanted('depth', binary_data=True)])
    arrays['raw of both'], arrays['json of both'] = both.as_numpy('depth'), both.as_numpy('sky')
    four = client.infer(name, inputs(several, np.array([70, 72, 42, 28], np.float32)))
    arrays['four numbers'] = four.as_numpy('depth')
    for coding in ('gzip', 'deflate'):
        found = client.infer(name, inputs(one), request_compression_algorithm=coding,
                             response_compression_algorithm=coding)
        arrays[coding] = found.as_numpy('depth')
    waiting = [client.async_infer(name, inputs(one)) for _ in range(3)]
    arrays['async'] = np.stack([each.get_result().as_numpy('depth') for each in waiting])
    angle = client.infer(name, inputs(one)[:1], parameters={'fov_deg': 60.0, 'maximum': 4.0},
                         timeout=60_000_000, priority=1)
    arrays['angle'], said['angle'] = angle.as_numpy('depth'), angle.get_response()

    def ask(*given, model=name, **more):
        return failing(lambda: client.infer(model, list(given), **more))

    picture = tensor('image', one, 'UINT8')
    said['errors'] = {
        'model': ask(picture, model='resnet'),
        'version': ask(picture, model_version='9'),
        'type': ask(tensor('image', one.astype(np.float32), 'FP32')),
        'shape': ask(tensor('image', one[..., 0].copy(), 'UINT8')),
        'many': ask(tensor('image', images(9, 14, 14), 'UINT8')),
        'input': ask(picture, tensor('masks', one, 'UINT8')),
        'no image': ask(tensor('intrinsics', CAMERA, 'FP32')),
        'camera': ask(picture, tensor('intrinsics', np.zeros((3, 3), np.float32), 'FP32')),
        'output': ask(picture, outputs=[wanted('normals')]),
        'classes': ask(picture, outputs=[wanted('depth', class_count=3)]),
        'parameter': ask(picture, parameters={'process_rez': 140}),
        'late': ask(*inputs(one), timeout=1),
        'metadata': failing(lambda: client.get_model_metadata('resnet')),
        'statistics': failing(client.get_inference_statistics)}
    arrays['said'] = np.array(json.dumps(said))
    np.savez(path, **arrays)


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2])
