"""
Clients of the bridges: typed results with units and intrinsics.

>>> from depth_anything_ros.clients import ZmqClient
>>> with ZmqClient() as client:
...     depth = client.metres(rgb, K)
"""

from __future__ import annotations

from typing import Any

__all__ = ['TcpClient', 'ZmqClient']


def __getattr__(name: str) -> Any:
    """Load a client when it is first used, so that each needs its own library alone."""
    if name == 'ZmqClient':
        from depth_anything_ros.clients.zeromq import ZmqClient
        return ZmqClient
    if name == 'TcpClient':
        from depth_anything_ros.clients.tcp import TcpClient
        return TcpClient
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
