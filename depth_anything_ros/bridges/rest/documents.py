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

"""What OpenAPI says about bodies, options, forms and errors that routes read by themselves."""

from __future__ import annotations

from typing import Any, Mapping

from depth_anything_ros.bridges.requests import LARGEST_RES, SMALLEST_RES
from depth_anything_ros.bridges.rest.fields import LARGEST_SIDE

Schema = dict[str, Any]

ERROR: Schema = {
    'type': 'object', 'required': ['detail', 'code', 'request_id'],
    'properties': {
        'detail': {'anyOf': [{'type': 'string'}, {'type': 'array', 'items': {'type': 'object'}}],
                   'description': 'What was seen and what is accepted.'},
        'code': {'type': 'string', 'description': 'Short name of the error.'},
        'request_id': {'type': 'string'}}}

MEANINGS = {
    400: ('the request cannot be served as it is', 'invalid_image',
          'PNG of 4000x4000 cannot be decoded'),
    401: ('the key is missing or wrong', 'unauthorized', 'API key required'),
    403: ('Host, page or path is not allowed', 'forbidden', "pages of 'https://x' may not ask"),
    404: ('there is no such thing', 'not_found', 'Not Found'),
    406: ('none of the accepted types can be given', 'not_acceptable', 'none of the accepted ...'),
    413: ('body or picture is too large', 'payload_too_large', 'image of 9000x9000 pixels; ...'),
    415: ('the body is of a type that is not read', 'unsupported_media_type', "body is 'a/b'"),
    422: ('a value is missing or of the wrong type', 'malformed_message', 'Field required'),
    429: ('the client uses more than its share; see Retry-After', 'limit_exceeded',
          'this client may send 10 requests per second'),
    500: ('the server failed; its log has the details', 'internal',
          'internal error; the log of the server has the details'),
    503: ('loading, closing, full or out of memory; see Retry-After', 'busy',
          '32 requests are under way already; try again'),
    504: ('not done in the time that was given', 'deadline_exceeded',
          'the result was not ready in the time that was given'),
}

ALWAYS = (401, 403, 429, 500, 503)
"""What every route behind the key may answer."""

PICTURE = (400, 406, 413, 415, 504, *ALWAYS)
"""What a route that takes pictures may answer."""


def option(name: str, kind: str, text: str, example: Any = None, **more: Any) -> Schema:
    """Return the description of an option in the query."""
    schema = {'type': kind, **more}
    shown = {} if example is None else {'example': example}
    return {'name': name, 'in': 'query', 'required': False, 'description': text,
            'schema': schema, **shown}


DEADLINE: Schema = {
    'name': 'X-Deadline-Ms', 'in': 'header', 'required': False, 'example': 500,
    'schema': {'type': 'integer', 'minimum': 1},
    'description': 'Milliseconds after which nobody needs the answer; work that waits is dropped '
                   'then (504).'}

MODEL = option('model', 'string', 'Which of the loaded models; default: the first of /v1/models.',
               'da3metric-large')

OPTIONS: list[Schema] = [
    option('camera_intrinsics', 'string',
           'Camera of this picture in pixels: "fx,fy,cx,cy", an object or a 3x3 matrix as JSON.',
           '525,525,320,240'),
    option('fov_deg', 'number', 'Horizontal field of view in degrees, where there is no camera.',
           70, minimum=0, maximum=179),
    option('focal_length', 'number', 'Focal length in pixels, where there is no camera.',
           minimum=0),
    option('process_res', 'integer', "Longest processed side in pixels; default: the model's own.",
           504, minimum=SMALLEST_RES, maximum=LARGEST_RES),
    MODEL,
    option('minimum', 'number', 'Nearer depths, in metres, are invalid.', minimum=0),
    option('maximum', 'number', 'Farther depths, in metres, are invalid.', 20.0, minimum=0),
    option('exif_orient', 'boolean', 'Turn the picture as its EXIF orientation says.'),
    DEADLINE,
]

SHAPE: Schema = {
    'name': 'X-Image-Shape', 'in': 'header', 'required': False, 'example': '480,640,3',
    'schema': {'type': 'string', 'pattern': r'^\d{1,5},\d{1,5}(,[134])?$'},
    'description': 'The body (application/octet-stream) is no file but pixels: uint8, row by row, '
                   'height,width,3 in RGB order, height,width,4 as RGBA, or height,width for '
                   'grey.'}

SIZE = option('output_size', 'string',
              f"Size of the depth map, WIDTHxHEIGHT up to {LARGEST_SIDE}; default: the picture's.",
              '640x480', pattern=r'^\d{1,5}x\d{1,5}$')

OUTPUTS = option('outputs', 'string',
                 'What to add to depth in npz, msgpack and JSON: confidence, sky.',
                 'confidence,sky')


def errors(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Return the description of error replies, with an example each."""
    return {code: {
        'description': MEANINGS[code][0], 'content': {'application/json': {
            'schema': ERROR, 'example': {
                'detail': MEANINGS[code][2], 'code': MEANINGS[code][1],
                'request_id': '7f3c2a'}}}} for code in sorted(set(codes))}


def format_option(forms: Mapping[str, tuple[str, object]]) -> Schema:
    """Return the description of the query ``format``."""
    return option('format', 'string', 'Form of the reply; wins over the Accept header.',
                  next(iter(forms)), enum=list(forms))


def binary_replies(forms: Mapping[str, tuple[str, object]]) -> dict[int | str, dict[str, Any]]:
    """Return the description of a reply in one of several forms, and of all errors."""
    content: Schema = {
        kind: {'schema': {'type': 'object'} if kind.endswith('json') else {
            'type': 'string', 'format': 'binary'}} for kind, _ in forms.values()}
    return {
        200: {'description': 'In the form that the client accepts; headers X-Depth-* say unit, '
                             'kind, scale law, camera, model and timing.', 'content': content},
        **errors(*PICTURE)}


def picture_body(
    options: list[Schema], *, many: bool = False,
) -> Schema:
    """
    Return the description of a body with one picture or many, and of the options.

    :param options: those of the query; a form may hold them as fields too.
    :param many: whether the form holds several files.
    """
    file: Schema = {'type': 'string', 'format': 'binary', 'description': 'JPEG, PNG or WebP'}
    fields = {item['name']: {**item['schema'], 'description': item['description']}
              for item in options if item['in'] == 'query' and item['name'] != 'format'}
    name, value = ('files', {'type': 'array', 'items': file}) if many else ('image', file)
    content: Schema = {'multipart/form-data': {'schema': {
        'type': 'object', 'required': [name], 'properties': {name: value, **fields}}}}
    if not many:
        for kind in ('image/jpeg', 'image/png', 'image/webp', 'application/octet-stream'):
            content[kind] = {'schema': file}
    parameters = options if many else [*options, SHAPE]
    return {'parameters': parameters, 'requestBody': {'required': True, 'content': content}}
