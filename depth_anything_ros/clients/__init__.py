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
Clients of the bridges: typed results with units and intrinsics.

>>> from depth_anything_ros.clients import ZmqClient
>>> with ZmqClient() as client:
...     depth = client.metres(rgb, K)
"""

from __future__ import annotations

from typing import Any

__all__ = ['AsyncRestClient', 'ReconstructionClient', 'RestClient', 'TcpClient', 'ZmqClient',
           'ZmqSubscriber']


def __getattr__(name: str) -> Any:
    """Load a client when it is first used, so that each needs its own library alone."""
    if name == 'ZmqClient':
        from depth_anything_ros.clients.zeromq import ZmqClient
        return ZmqClient
    if name == 'ZmqSubscriber':
        from depth_anything_ros.clients.subscriber import ZmqSubscriber
        return ZmqSubscriber
    if name == 'TcpClient':
        from depth_anything_ros.clients.tcp import TcpClient
        return TcpClient
    if name == 'ReconstructionClient':
        from depth_anything_ros.clients.websocket import ReconstructionClient
        return ReconstructionClient
    if name in ('RestClient', 'AsyncRestClient'):
        from depth_anything_ros.clients import v1
        return getattr(v1, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
