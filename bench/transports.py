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
What ZMQ and raw TCP cost beside a bare echo of the same bytes, and reading a pickle safely.

``python -m bench.transports``: the servers run in a process of their own, with an engine that
takes no time; the bare ones are written as tightly as pyzmq and sockets allow.

Each process has one processor to itself, and once more both have one together. Left to itself the
scheduler puts some pairs of threads on one processor, where a message is read while the caches
still have it, and others on two, and keeps it so as long as they live: that was up to a factor of
two between equal programs. For the same reason connections are made anew every few rounds.
"""

from __future__ import annotations

import argparse
from contextlib import contextmanager
import json
import multiprocessing
from multiprocessing.connection import Connection
import os
import pickle
import socket
import struct
import threading
from typing import Any, Callable, Iterator

from bench import least, report
from bench.least import receive_into
from bench.pairs import interleave, Sample
from depth_anything_ros.core.depth import DepthKind, FocalSource
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.core.result import DepthResult, ScaleLaw
from depth_anything_ros.engine.base import Inferred, Prepared
from depth_anything_ros.engine.given import GivenDepthEngine
from depth_anything_ros.wire.framing import page_aligned
import numpy as np

SIZES = ((640, 480), (1920, 1080))
KEPT = 20
"""Rounds of one set of connections."""
RIVAL_BAR, READER_BAR = 1.3, 1.5
LAW = ScaleLaw(DepthKind.METRIC, 1.0, 0.0, FocalSource.NONE)


class ReadyEngine(GivenDepthEngine):
    """An engine that takes no time: its depth is there before it is asked for."""

    def __init__(self) -> None:
        """Keep one depth of each size."""
        super().__init__(lambda frame: self._depth(frame))
        self._ready: dict[tuple[int, int], Any] = {}

    def prepare(self, frame: Frame, options: FrameOptions) -> Prepared:
        """Return the frame as it is."""
        return Prepared(frame, options, frame.size[::-1], None)

    def finish(self, inferred: Inferred) -> DepthResult:
        """Return the depth without touching it."""
        return DepthResult(inferred.prepared.frame, inferred.payload, LAW, 'ready')

    def _depth(self, frame: Frame) -> Any:
        if frame.size not in self._ready:
            self._ready[frame.size] = np.ones(frame.size[::-1], np.float32)
        return self._ready[frame.size]


def echo_zmq(address: Callable[[str], None], replies: dict[int, bytes]) -> None:
    """Answer every message with as many bytes as a depth of its size has, and nothing else."""
    import zmq
    server: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.ROUTER)
    server.bind('tcp://127.0.0.1:*')
    address(server.getsockopt_string(zmq.LAST_ENDPOINT))
    while True:
        client, empty, body = server.recv_multipart(copy=False)
        server.send_multipart([client, empty, replies[len(body)]], copy=False)


def echo_tcp(address: Callable[[int], None], replies: dict[int, bytes]) -> None:
    """Answer every message with as many bytes as a depth of its size has, and nothing else."""
    listener = socket.create_server(('127.0.0.1', 0))
    address(listener.getsockname()[1])
    memory = page_aligned(max(replies))
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while head := connection.recv(4, socket.MSG_WAITALL):
            size, = struct.unpack('!I', head)
            receive_into(connection, memory[:size])
            connection.sendall(replies[size])


def serve(pipe: Connection, processor: int) -> None:
    """Run our bridges and the others, and say where they are, until the pipe is closed."""
    # Before any thread is there: they inherit it.
    os.sched_setaffinity(0, {processor})
    from depth_anything_ros.bridges.base import Bridge
    from depth_anything_ros.bridges.tcp import TcpBridge
    from depth_anything_ros.bridges.zeromq import ZmqBridge
    from depth_anything_ros.process import set_up_process
    from depth_anything_ros.service import DepthService
    set_up_process()
    replies = {3 * width * height: bytes(4 * width * height) for width, height in SIZES}
    where: dict[str, Any] = {}
    for name, echo, given in (
            ('bare zmq', echo_zmq, replies), ('bare tcp', echo_tcp, replies),
            ('least tcp', least.serve_tcp, SIZES), ('least zmq', least.serve_zmq, SIZES)):
        ready = threading.Event()

        def tell(value: Any, name: str = name, ready: threading.Event = ready) -> None:
            where[name] = value
            ready.set()
        threading.Thread(target=echo, args=(tell, given), daemon=True).start()
        ready.wait()
    service = DepthService(ReadyEngine())
    bridges: dict[str, Bridge] = {'zmq': ZmqBridge(port=0), 'tcp': TcpBridge(port=0)}
    for bridge in bridges.values():
        bridge.listen()
        bridge.start(service)
    pipe.send({**where, **{name: bridge.address for name, bridge in bridges.items()}})
    try:
        pipe.recv()
    except EOFError:
        pass
    for bridge in bridges.values():
        bridge.stop()
    service.close()


@contextmanager
def connected(
    where: dict[str, Any], width: int, height: int,
) -> Iterator[dict[str, Callable[[], object]]]:
    """Yield the ways to send an image and get its depth, and a copy of both, with connections."""
    from depth_anything_ros.clients import TcpClient, ZmqClient
    import zmq
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    depth, copies = np.ones((height, width), np.float32), bytearray(image.nbytes)
    copied = np.empty_like(depth)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    bare, seed = context.socket(zmq.REQ), context.socket(zmq.REQ)
    bare.connect(where['bare zmq'])
    seed.connect(where['zmq'])
    wire = socket.create_connection(('127.0.0.1', where['bare tcp']))
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    memory, head = page_aligned(depth.nbytes), struct.pack('!I', image.nbytes)
    ours_zmq = ZmqClient(where['zmq'])
    ours_tcp = TcpClient('127.0.0.1', int(where['tcp'].rpartition(':')[2]))
    least_tcp = least.TcpClient(where['least tcp'], depth.nbytes)
    least_zmq = least.ZmqClient(where['least zmq'])

    def copy() -> None:
        copies[:] = image.data.cast('B')
        np.copyto(copied, depth)

    def echo_over_zmq() -> None:
        bare.send(image.data, copy=False)
        bare.recv(copy=False)

    def echo_over_tcp() -> None:
        wire.sendmsg([head])
        wire.sendall(image.data)
        receive_into(wire, memory)

    def pickles() -> None:
        seed.send_pyobj({'command': 'inference', 'image': image, 'process_res': 504})
        # Our own server, to whom nobody else speaks.
        assert seed.recv_pyobj()['depth'].shape == (height, width)

    def check(client: Any) -> None:
        assert client.estimate(image).depth.shape == (height, width)

    yield {
        'zmq, our form': lambda: check(ours_zmq), 'zmq, bare echo': echo_over_zmq,
        'zmq, least program': lambda: least_zmq.estimate(image),
        'zmq, pickles of the seed': pickles, 'tcp, our form': lambda: check(ours_tcp),
        'tcp, bare echo': echo_over_tcp, 'tcp, least program': lambda: least_tcp.estimate(image),
        'memcpy': copy}
    for client in (ours_zmq, ours_tcp, least_tcp, least_zmq, wire):
        client.close()
    context.destroy(0)


def round_trips(where: dict[str, Any], width: int, height: int, rounds: int) -> list[report.Row]:
    """Return the rows of requests with an image and replies with a depth of one size."""
    samples: dict[str, list[Sample]] = {}
    while rounds > 0:
        with connected(where, width, height) as ways:
            for name, found in interleave(ways, rounds=min(KEPT, rounds), warm_up=5).items():
                samples.setdefault(name, []).extend(found)
        rounds -= KEPT
    limit = report.bar('at most', RIVAL_BAR)
    return [report.compared(samples, 'zmq, our form', 'zmq, bare echo', limit),
            report.compared(samples, 'tcp, our form', 'tcp, bare echo', limit),
            report.compared(samples, 'zmq, least program', 'zmq, bare echo'),
            report.compared(samples, 'tcp, least program', 'tcp, bare echo'),
            report.compared(samples, 'zmq, pickles of the seed', 'zmq, bare echo'),
            report.compared(samples, 'zmq, our form', 'zmq, pickles of the seed'),
            report.compared(samples, 'zmq, our form', 'memcpy'),
            report.compared(samples, 'tcp, our form', 'memcpy')]


def readers(width: int, height: int, rounds: int) -> list[report.Row]:
    """Return the rows of reading the seed's pickle: the next one of a client, and a first one."""
    from depth_anything_ros.wire.limits import DEFAULT_LIMITS
    from depth_anything_ros.wire.pickle_machine import Machine
    from depth_anything_ros.wire.pickled import read
    random = np.random.default_rng(1)
    requests = [pickle.dumps({
        'command': 'inference', 'process_res': 504,
        'image': random.integers(0, 256, (height, width, 3), np.uint8)}) for _ in range(4)]
    turn = {'n': 0}

    def next_request() -> bytes:
        turn['n'] += 1
        return requests[turn['n'] % len(requests)]

    def first_read() -> object:
        return Machine(memoryview(next_request()).toreadonly(), DEFAULT_LIMITS).run()

    samples = interleave({
        'read, next of a client': lambda: read(next_request()), 'read, first of its kind':
        first_read, 'pickle.loads': lambda: pickle.loads(next_request())},
        rounds=rounds, warm_up=20)
    limit = report.bar('at most', READER_BAR)
    return [report.compared(samples, name, 'pickle.loads', limit)
            for name in ('read, next of a client', 'read, first of its kind')]


def measure(rounds: int) -> list[report.Row]:
    """Return all rows; the processes' processors are those that this one may use."""
    allowed = os.sched_getaffinity(0)
    here, *others = sorted(allowed)
    rows: list[report.Row] = []
    try:
        os.sched_setaffinity(0, {here})
        for width, height in SIZES if others else ():
            size = f'{width}x{height}'
            with served(others[0]) as where:
                found = round_trips(where, width, height, rounds)
            found += readers(width, height, rounds)
            rows += [{**row, 'what': f'{size}: {row["what"]}'} for row in found]
        width, height = SIZES[0]
        with served(here) as where:
            rows += [{**row, 'what': f'{width}x{height}, one processor: {row["what"]}'}
                     for row in round_trips(where, width, height, rounds)]
    finally:
        os.sched_setaffinity(0, allowed)
    return rows


@contextmanager
def served(processor: int) -> Iterator[dict[str, Any]]:
    """Yield where the servers are, in a process of their own on one processor."""
    process = multiprocessing.get_context('spawn')
    here, there = process.Pipe()
    server = process.Process(target=serve, args=(there, processor), daemon=True)
    server.start()
    there.close()
    try:
        yield here.recv()
    finally:
        here.close()
        server.join(30)
        if server.is_alive():
            server.kill()


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=200)
    parser.add_argument('--dry', action='store_true', help='print, and write nothing')
    arguments = parser.parse_args()
    from depth_anything_ros.process import set_up_process
    set_up_process()
    rows = measure(arguments.rounds)
    if arguments.dry:
        print(json.dumps([(row['what'], row['value']['median'], row['milliseconds'],
                           row['against_milliseconds']) for row in rows], indent=1))
        return
    report.save(
        'transports', 'time, ratio', rows,
        columns={'milliseconds': 'ms', 'against_milliseconds': 'against, ms'},
        notes=['A round trip is a request with the image (uint8) and a reply with its depth '
               '(float32); the engine takes no time. Client and servers have one processor each; '
               '"one processor": both have the same. A first pickle is one whose shapes, keys or '
               'values were not seen before; of the next ones of a video only the pixels are '
               'new.'],
        rounds=arguments.rounds)


if __name__ == '__main__':
    main()
