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

"""The page of the reconstruction: files of this package, nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path

from depth_anything_ros.bridges.rest.context import RestContext
from depth_anything_ros.bridges.rest.routes.pages import add_file, ASSETS, STRICT
from fastapi import FastAPI

FOLDER = Path(__file__).parent / 'page'

PATH = '/reconstruct'


def register(app: FastAPI, context: RestContext) -> None:
    """Add the page; it holds no data, so it needs no key."""
    add_file(app, context, PATH, FOLDER / 'reconstruct.html', STRICT)
    for name in ('reconstruct.js', 'reconstruct.css'):
        add_file(app, context, ASSETS + name, FOLDER / name, STRICT)
