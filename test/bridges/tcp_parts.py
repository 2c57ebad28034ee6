"""Clients of the raw TCP protocol that need the standard library alone, as the seed promises."""

from __future__ import annotations

from contextlib import contextmanager
import pickle
import socket
import struct

from bridge_parts import PATIENCE_S


@contextmanager
def connected(address):
    host, _, port = address.removeprefix('tcp://').rpartition(':')
    with socket.create_connection((host, int(port)), PATIENCE_S) as connection:
        yield connection


def frame(data):
    return struct.pack('!I', len(data)) + data


def take(connection, size):
    data = b''
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        if not chunk:
            raise EOFError(f'{len(data)} of {size} bytes')
        data += chunk
    return data


def body(connection):
    return take(connection, struct.unpack('!I', take(connection, 4))[0])


def reply(connection):
    return pickle.loads(body(connection))


def tell(connection, request, protocol=None):
    connection.sendall(frame(pickle.dumps(request, protocol)))
    return reply(connection)


def ask(address, request):
    with connected(address) as connection:
        return tell(connection, request)


def closed(connection):
    """Return whether the other side has ended the connection."""
    try:
        return connection.recv(1) == b''
    except ConnectionError:
        return True
