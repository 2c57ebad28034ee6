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

"""The dashboard and the documentation: files of this package, nothing from elsewhere."""

from __future__ import annotations

import hashlib
from pathlib import Path

from depth_anything_ros.bridges.rest.context import RestContext
from fastapi import FastAPI, Request
from fastapi.responses import Response

FOLDER = Path(__file__).parents[1] / 'page'

KINDS = {'.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css'}

NOTHING = ("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
           "script-src 'self'; connect-src 'self'; ")

STRICT = NOTHING + "style-src 'self'; img-src 'self' blob: data:"
"""What our own page may do: no script or style inside the page, nobody else's files."""

LIBRARIES = NOTHING + (
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; worker-src blob:; "
    "child-src 'self' blob:")
"""Swagger UI and Redoc write styles into the page, and Redoc searches in a worker."""

PAGES = {
    '/': ('dashboard.html', STRICT), '/dashboard': ('dashboard.html', STRICT),
    '/docs': ('docs.html', LIBRARIES), '/redoc': ('redoc.html', LIBRARIES),
}

ASSETS = '/assets/'


def page_reply(
    request: Request, content: bytes, kind: str, policy: str, tag: str,
) -> Response:
    """Return a file, or that the browser has it already."""
    headers = {'ETag': tag, 'Cache-Control': 'no-cache', 'Content-Security-Policy': policy}
    if request.headers.get('if-none-match') == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=kind, headers=headers)


def add_file(
    app: FastAPI, context: RestContext, path: str, file: Path, policy: str,
) -> None:
    """
    Serve a file of the package, without a key.

    :param app: the application.
    :param context: what the routes share.
    :param path: where it is served.
    :param file: an .html, .js or .css file.
    :param policy: its Content-Security-Policy.
    """
    content = file.read_bytes()
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    kind = KINDS[file.suffix]

    async def page(request: Request) -> Response:
        return page_reply(request, content, kind, policy, tag)

    app.add_api_route(path, page, methods=['GET', 'HEAD'], include_in_schema=False)
    context.open_pages.add(path)


def register(app: FastAPI, context: RestContext) -> None:
    """Add the pages; they hold no data, so they need no key."""
    for path, (name, policy) in PAGES.items():
        add_file(app, context, path, FOLDER / name, policy)
    for file in sorted(FOLDER.iterdir()):
        if file.suffix in ('.js', '.css'):
            add_file(app, context, ASSETS + file.name, file, STRICT)
    context.open_pages.add('/openapi.json')
