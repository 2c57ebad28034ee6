"""Real ZMQ clients of the seed's kind."""

from __future__ import annotations

from contextlib import contextmanager

from bridge_parts import PATIENCE_S
import zmq


@contextmanager
def client(address, kind=zmq.REQ):
    with zmq.Context() as context, context.socket(kind) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVTIMEO, int(1000 * PATIENCE_S))
        socket.setsockopt(zmq.SNDTIMEO, int(1000 * PATIENCE_S))
        socket.connect(address)
        yield socket


def ask(address, request):
    """Send one dict as the seed does and return the reply."""
    with client(address) as socket:
        socket.send_pyobj(request)
        return socket.recv_pyobj()
