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

"""The OpenAPI document: FastAPI's own, with the schemas and keys of routes that read bodies."""

from __future__ import annotations

from typing import Any, Callable, Iterable

from fastapi import FastAPI
from pydantic import BaseModel

REFERENCE = '#/components/schemas/{model}'

ABOUT = """Metric depth and point clouds from plain pictures with Depth Anything 3.

Every reply names its unit, kind, scale law, camera, model and request. Errors have the keys
`detail`, `code` and `request_id`. Send `X-Request-Id` to name a request yourself."""

KEYS = {
    'bearer': {'type': 'http', 'scheme': 'bearer'},
    'key': {'type': 'apiKey', 'in': 'header', 'name': 'X-API-Key'},
}

Schema = dict[str, Any]


def reference(model: type[BaseModel]) -> Schema:
    """Return a schema that points at a model's own."""
    return {'$ref': REFERENCE.format(model=model.__name__)}


def extended(
    make: Callable[[], Schema], models: Iterable[type[BaseModel]], open_paths: Iterable[str],
    *, keyed: bool,
) -> Callable[[], Schema]:
    """
    Return what makes the document.

    :param make: FastAPI's own.
    :param models: bodies that are not among a route's parameters.
    :param open_paths: routes that need no key.
    :param keyed: whether the others need one.
    """
    def document() -> Schema:
        found = make()
        parts = found.setdefault('components', {})
        schemas = parts.setdefault('schemas', {})
        for model in models:
            schema = model.model_json_schema(ref_template=REFERENCE)
            schemas.update(schema.pop('$defs', {}))
            schemas[model.__name__] = schema
        if keyed:
            parts['securitySchemes'] = KEYS
            for path, operations in found['paths'].items():
                if path not in open_paths:
                    for operation in operations.values():
                        operation['security'] = [{name: []} for name in KEYS]
        return found
    return document


def describe(
    app: FastAPI, models: Iterable[type[BaseModel]], open_paths: Iterable[str], *, keyed: bool,
) -> None:
    """Make an application's document complete."""
    app.description = ABOUT
    setattr(app, 'openapi', extended(  # noqa: B010
        app.openapi, models, open_paths, keyed=keyed))
