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

"""Which form a reply has, and whether it is compressed."""

from __future__ import annotations

from functools import lru_cache
from typing import Iterable, Mapping, NamedTuple

from depth_anything_ros.bridges.rest.replies import NotAcceptable
from depth_anything_ros.errors import InvalidRequest
from starlette.requests import Request

WORTH_BYTES = 4096
"""Smaller bodies gain nothing."""

TEXTS = frozenset({'application/json', 'text/plain', 'text/html'})
"""Types that deflate makes much smaller; floats gain a tenth for ten times zstd's time."""

DENSE = frozenset({'image/png', 'image/jpeg', 'application/x-npz'})
"""Types that hold compressed data, or are files that readers want as they are."""


class Offer(NamedTuple):
    """A media range of an Accept header and how much the client likes it."""

    kind: str
    quality: float


@lru_cache(64)
def offers(header: str) -> tuple[Offer, ...]:
    """Return the entries of an Accept or Accept-Encoding header; broken ones are left out."""
    found = []
    for entry in header.split(','):
        kind, *parameters = (part.strip() for part in entry.split(';'))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition('=')
            if name.strip().lower() == 'q':
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        if kind:
            found.append(Offer(kind.lower(), quality))
    return tuple(found)


def matches(range_: str, kind: str) -> int:
    """Return how exactly a media range means a type: 3 by name, 2 'image/*', 1 '*/*', 0 not."""
    if range_ == kind:
        return 3
    if range_ == kind.partition('/')[0] + '/*':
        return 2
    return 1 if range_ == '*/*' else 0


def choose_form(request: Request, forms: Mapping[str, tuple[str, object]]) -> str:
    """
    Return the short name of the form that a client wants.

    The query ``format`` decides where it is given, else the Accept header; the first form is the
    default.

    :param request: the request.
    :param forms: media type by short name, the server's own order of preference.
    :raises InvalidRequest: when the query names an unknown one.
    :raises NotAcceptable: when the header accepts none of them.
    """
    named = request.query_params.get('format')
    if named is not None:
        if named not in forms:
            raise InvalidRequest(
                f'format {named[:40]!r} is unknown; accepted: {", ".join(forms)}')
        return named
    accepted = request.headers.get('accept', '*/*')
    # Most accept whatever there is.
    found = next(iter(forms)) if accepted == '*/*' else best_of(offers(accepted), forms)
    if not found:
        raise NotAcceptable(
            f'none of the accepted types can be given; known: {", ".join(kinds(forms))}')
    return found


def best_of(accepted: Iterable[Offer], forms: Mapping[str, tuple[str, object]]) -> str:
    """Return the short name of the form that a client likes best, '' when it accepts none."""
    best, found = 0.0, ''
    for name, (kind, _) in forms.items():
        ranked = [(matches(offer.kind, kind), offer.quality) for offer in accepted]
        exact, quality = max((item for item in ranked if item[0]), default=(0, 0.0))
        if exact and quality > best:
            best, found = quality, name
    return found


def kinds(forms: Mapping[str, tuple[str, object]]) -> Iterable[str]:
    """Return the media types of forms."""
    return [kind for kind, _ in forms.values()]


def coding_of(request: Request, kind: str, size: int) -> str:
    """
    Return how a body is to be compressed: 'zstd', 'gzip' or '' for not at all.

    :param request: says what the client can read.
    :param kind: media type of the body.
    :param size: its bytes.
    """
    if size < WORTH_BYTES or kind in DENSE:
        return ''
    known = {offer.kind for offer in offers(request.headers.get('accept-encoding', ''))
             if offer.quality > 0}
    if 'zstd' in known:
        return 'zstd'
    return 'gzip' if 'gzip' in known and kind in TEXTS else ''
