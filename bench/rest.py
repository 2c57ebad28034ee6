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
What the REST bridge costs beside a bare FastAPI application that answers with as many bytes.

``python -m bench.rest``: both are served by uvicorn in one process of their own, with an engine
that takes no time; the picture comes as pixels, and as a JPEG. Then so many clients at once.
"""

from __future__ import annotations

import argparse
import base64
from collections import Counter
import http.client
import json
import multiprocessing
from multiprocessing.connection import Connection
import statistics
import threading
import time
from typing import Callable

from bench import report
from bench.pairs import interleave
from bench.transports import ReadyEngine
from fastapi import Body, FastAPI, Request, Response
import numpy as np

WIDTH, HEIGHT = 640, 480
OVERHEAD_BAR = 1.5
AT_ONCE = (1, 8, 64)
PIXELS = 'application/octet-stream'


def bare_app() -> FastAPI:
    """Return an application that reads the body and answers with the bytes of a depth map."""
    app = FastAPI()
    reply = bytes(4 * WIDTH * HEIGHT)

    @app.post('/echo')
    async def echo(request: Request) -> Response:
        await request.body()
        return Response(reply, media_type='application/octet-stream')

    @app.post('/decode')
    def decode(body: bytes = Body(media_type='image/jpeg')) -> Response:
        import cv2
        bgr = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)
        cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
        return Response(reply, media_type='application/octet-stream')

    return app


def serve(pipe: Connection) -> None:
    """Run our bridge and the bare application, and say where they are, until the pipe closes."""
    from depth_anything_ros.bridges.rest.options import RestOptions
    from depth_anything_ros.bridges.rest.server import RestBridge
    from depth_anything_ros.process import set_up_process
    from depth_anything_ros.service import DepthService
    import uvicorn
    set_up_process()
    service = DepthService(ReadyEngine(), queue_size=32)
    bridge = RestBridge(RestOptions(), 0)
    bridge.listen()
    bridge.start(service)
    bare = uvicorn.Server(uvicorn.Config(
        bare_app(), port=0, log_config=None, access_log=False))
    threading.Thread(target=bare.run, daemon=True).start()
    while not bare.started:
        time.sleep(0.01)
    pipe.send((bridge.port, bare.servers[0].sockets[0].getsockname()[1]))
    try:
        pipe.recv()
    except EOFError:
        pass
    bridge.stop()
    service.close()


def jpeg() -> bytes:
    """Return a picture as a camera sends it: smooth shapes and some noise."""
    import cv2
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    shades = np.stack([128 + 100 * np.sin(x / 60 + phase) * np.cos(y / 45) for phase in range(3)],
                      axis=-1)
    noise = np.random.default_rng(0).normal(0, 3, shades.shape)
    data: bytes = cv2.imencode('.jpg', np.clip(shades + noise, 0, 255).astype(np.uint8))[
        1].tobytes()
    return data


def pixels() -> bytes:
    """Return the same picture as its RGB pixels."""
    import cv2
    bgr = cv2.imdecode(np.frombuffer(jpeg(), np.uint8), cv2.IMREAD_COLOR)
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).tobytes()


def caller(port: int, path: str, body: bytes, kind: str) -> Callable[[], int]:
    """Return what sends one request on a connection of its own and returns the status."""
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
    headers = {'Content-Type': kind, 'Accept-Encoding': 'identity'}
    if kind == PIXELS:
        headers['X-Image-Shape'] = f'{HEIGHT},{WIDTH},3'

    def call() -> int:
        connection.request('POST', path, body, headers)
        reply = connection.getresponse()
        reply.read()
        return reply.status
    return call


def alone(ours: int, bare: int, rounds: int) -> list[report.Row]:
    """Return the rows of one client after the other."""
    picture, plain = jpeg(), pixels()
    seed = json.dumps({
        'image': base64.b64encode(picture).decode(), 'max_depth': 20.0, 'camera_intrinsics': {
            'fx': 500.0, 'fy': 500.0, 'cx': 320.0, 'cy': 240.0}}).encode()
    calls = {
        'binary route': caller(ours, '/v1/depth', plain, PIXELS),
        'echo of pixels': caller(bare, '/echo', plain, PIXELS),
        'JPEG route': caller(ours, '/v1/depth', picture, 'image/jpeg'),
        'route of the seed': caller(ours, '/metric_depth', seed, 'application/json'),
        'bare echo': caller(bare, '/echo', picture, 'image/jpeg'),
        'bare decoder': caller(bare, '/decode', picture, 'image/jpeg'),
    }
    for name, call in calls.items():
        status = call()
        assert status == 200, (name, status)
    samples = interleave(calls, rounds=rounds, warm_up=10)
    return [
        report.compared(
            samples, 'binary route', 'echo of pixels', report.bar('at most', OVERHEAD_BAR)),
        report.compared(samples, 'JPEG route', 'bare echo'),
        report.compared(samples, 'JPEG route', 'bare decoder'),
        report.compared(samples, 'route of the seed', 'bare echo'),
        report.compared(samples, 'binary route', 'route of the seed')]


def together(
    name: str, port: int, path: str, body: bytes, kind: str, count: int, each: int,
) -> report.Row:
    """Return the row of many clients at once: latencies of what was served, and refusals."""
    times: list[float] = []
    statuses: Counter[int] = Counter()
    lock = threading.Lock()

    def client() -> None:
        call = caller(port, path, body, kind)
        for _ in range(each):
            begin = time.perf_counter()
            status = call()
            took = time.perf_counter() - begin
            with lock:
                statuses[status] += 1
                if status == 200:
                    times.append(took * 1000)

    threads = [threading.Thread(target=client) for _ in range(count)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begin
    cuts = statistics.quantiles(times, n=100, method='inclusive')
    return report.row(
        f'{name}, {count} at once: p50, ms', cuts[49], p99=cuts[98],
        per_second=len(times) / seconds, refused=sum(statuses.values()) - statuses[200])


def measure(rounds: int, each: int) -> list[report.Row]:
    """Return all rows."""
    process = multiprocessing.get_context('spawn')
    here, there = process.Pipe()
    server = process.Process(target=serve, args=(there,), daemon=True)
    server.start()
    there.close()
    try:
        ours, bare = here.recv()
        rows = alone(ours, bare, rounds)
        for count in AT_ONCE:
            for name, body, kind in (('binary route', pixels(), PIXELS),
                                     ('JPEG route', jpeg(), 'image/jpeg')):
                rows.append(together(name, ours, '/v1/depth', body, kind, count, each))
                rows.append(together(
                    f'echo for the {name}', bare, '/echo', body, kind, count, each))
        return rows
    finally:
        here.close()
        server.join(30)
        if server.is_alive():
            server.kill()


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=200)
    parser.add_argument('--each', type=int, default=20, help='requests of each client')
    parser.add_argument('--dry', action='store_true', help='print, and write nothing')
    arguments = parser.parse_args()
    rows = measure(arguments.rounds, arguments.each)
    if arguments.dry:
        print(json.dumps([(row['what'], row['value']['median'], row.get('p99'),
                           row.get('refused')) for row in rows], indent=1))
        return
    report.save(
        'rest', 'ratio or ms', rows, columns={
            'milliseconds': 'ms', 'against_milliseconds': 'against, ms', 'p99': 'p99, ms',
            'per_second': 'per second', 'refused': 'refused'},
        notes=['640x480 in, float32 of 640x480 out; the engine takes no time. The binary route is '
               'sent pixels (X-Image-Shape), and its echo is sent the same; the JPEG route '
               'decodes, its echo does not, and the bare decoder does that and nothing else. '
               'Refused: 503 or 429 with Retry-After, told at once.'],
        rounds=arguments.rounds, each=arguments.each)


if __name__ == '__main__':
    main()
