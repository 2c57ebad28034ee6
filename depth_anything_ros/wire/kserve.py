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
Tensors as the KServe v2 (Open Inference) protocol sends them: JSON, and raw bytes behind it.

With the binary tensor extension a body is a JSON object whose length a header names, followed by
the little-endian bytes of those tensors that have ``binary_data_size``, in their order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
import json
import math
from typing import Any, Mapping, NamedTuple, Sequence

from depth_anything_ros.errors import InvalidRequest, PayloadTooLarge
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Document = dict[str, Any]

HEADER_LENGTH = 'Inference-Header-Content-Length'
"""HTTP header with the bytes of the JSON object, where raw bytes follow."""

DTYPES: Mapping[str, np.dtype[Any]] = {
    'BOOL': np.dtype('?'), 'UINT8': np.dtype('u1'), 'FP32': np.dtype('<f4')}
"""The protocol's names of the element types that are used here."""

JSON_BYTES = 8 * 2**20
"""A VGA image as JSON numbers has 5 MB; read, its values take some thirty times that."""

JSON_VALUES = 2**21
"""Numbers in one reply: a full HD depth map; as Python objects they take 80 MB."""

MOST_DIMENSIONS = 4

MOST_ID = 256


class OutputWish(NamedTuple):
    """An output that is asked for, and whether as raw bytes."""

    name: str
    binary: bool


@dataclass(frozen=True)
class InferRequest:
    """
    What a client asks.

    ``inputs`` are arrays by name, of the shape that the client says, views of the body where they
    came as raw bytes. ``outputs`` is empty where the client named none: it wants all of them,
    as raw bytes where ``binary_output`` says so. ``parameters`` are all others of the request.
    """

    inputs: Mapping[str, Array]
    outputs: tuple[OutputWish, ...] = ()
    binary_output: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)
    request_id: str = ''

    def wishes(self, available: Sequence[str]) -> tuple[OutputWish, ...]:
        """
        Return the outputs to send, in the client's order.

        :param available: names of all that there are.
        :raises InvalidRequest: when one is wanted that there is not, or twice.
        """
        names = [wish.name for wish in self.outputs]
        wrong = [name for name in names if name not in available or names.count(name) > 1]
        if wrong:
            raise InvalidRequest(f'output {wrong[0][:40]!r} is unknown or there twice; accepted: '
                                 f'{", ".join(available)}')
        return self.outputs or tuple(OutputWish(name, self.binary_output) for name in available)


def read_request(
    body: bytes | memoryview, header_length: str | None, types: Mapping[str, str],
) -> InferRequest:
    """
    Return the request in a body.

    :param body: all of it, not compressed any more.
    :param header_length: value of :data:`HEADER_LENGTH`, None where it was not sent.
    :param types: datatype by name of all inputs that there are.
    :raises InvalidRequest: when it does not follow the protocol or names other inputs.
    :raises PayloadTooLarge: when its JSON is too long.
    """
    whole = memoryview(body)
    size = len(whole) if header_length is None else _header_size(header_length, len(whole))
    if size > JSON_BYTES:
        raise PayloadTooLarge(
            f'{size} bytes of JSON; accepted: at most {JSON_BYTES}. Send large tensors as binary '
            'data')
    document = _object(bytes(whole[:size]))
    parameters = _optional(document, 'parameters', dict, {})
    inputs = _inputs(document, whole[size:], types)
    binary = _flag(parameters, 'binary_data_output', False)
    outputs = tuple(_wish(each, binary) for each in _optional(document, 'outputs', list, []))
    name = _optional(document, 'id', str, '')
    if len(name) > MOST_ID:
        raise InvalidRequest(f'id has {len(name)} characters; accepted: at most {MOST_ID}')
    return InferRequest(
        inputs, outputs, binary,
        {key: value for key, value in parameters.items() if key != 'binary_data_output'}, name)


def write_response(
    document: Document, outputs: Sequence[tuple[OutputWish, str, Array]],
) -> tuple[bytes, int | None]:
    """
    Return a response's body, and the length of its JSON where raw bytes follow.

    Numbers that JSON has not, NaN and infinity, are null there.

    :param document: the response without its outputs.
    :param outputs: how each is wanted, its datatype and its array.
    """
    rows, raw = [], []
    for wish, datatype, array in outputs:
        row: Document = {
            'name': wish.name, 'datatype': datatype, 'shape': list(array.shape)}
        if wish.binary:
            values = np.ascontiguousarray(array, DTYPES[datatype])
            row['parameters'] = {'binary_data_size': values.nbytes}
            raw.append(values.reshape(-1).view(np.uint8).data)
        else:
            row['data'] = _numbers(array)
        rows.append(row)
    head = json.dumps({**document, 'outputs': rows}, allow_nan=False).encode()
    if not raw:
        return head, None
    return b''.join((head, *raw)), len(head)


def _numbers(array: Array) -> list[Any]:
    values: list[Any] = array.reshape(-1).tolist()
    if array.dtype.kind == 'f' and not np.isfinite(array).all():
        return [value if math.isfinite(value) else None for value in values]
    return values


def _header_size(text: str, length: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 12 and 0 < int(text) <= length):
        raise InvalidRequest(
            f'{HEADER_LENGTH} is {text[:20]!r}; accepted: 1 to the {length} bytes of the body')
    return int(text)


def _object(text: bytes) -> Document:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidRequest(
            f'the body is no JSON; where raw bytes follow it, {HEADER_LENGTH} has to say how long '
            'it is') from None
    if not isinstance(found, dict):
        raise InvalidRequest(f'the body is a JSON {_kind(found)}; accepted: an object')
    return found


def _inputs(
    document: Document, raw: memoryview, types: Mapping[str, str],
) -> dict[str, Array]:
    rows = document.get('inputs')
    if not isinstance(rows, list) or not 1 <= len(rows) <= len(types):
        raise InvalidRequest(f'inputs have to be a list of 1 to {len(types)} tensors: '
                             f'{", ".join(types)}')
    found: dict[str, Array] = {}
    at = 0
    for row in rows:
        name = _name(row, 'input')
        if name not in types or name in found:
            raise InvalidRequest(f'input {name[:40]!r} is unknown or there twice; accepted: '
                                 f'{", ".join(types)}')
        datatype, shape = types[name], _shape(row, name)
        if row.get('datatype') != datatype:
            raise InvalidRequest(
                f'input {name} is {str(row.get("datatype"))[:20]!r}; accepted: {datatype}')
        size = _binary_size(row, name)
        if size is None:
            found[name] = _from_json(row.get('data'), name, datatype, shape)
            continue
        expected = math.prod(shape) * DTYPES[datatype].itemsize
        if size != expected or at + size > len(raw):
            raise InvalidRequest(
                f'input {name}: binary_data_size is {size}, {len(raw) - at} bytes are there; '
                f'shape {list(shape)} of {datatype} has {expected}')
        found[name] = np.frombuffer(raw[at:at + size], DTYPES[datatype]).reshape(shape)
        at += size
    if at != len(raw):
        raise InvalidRequest(f'{len(raw) - at} bytes follow that belong to no tensor')
    return found


def _name(row: object, what: str) -> str:
    if not isinstance(row, dict) or not isinstance(row.get('name'), str):
        raise InvalidRequest(f'every {what} has to be an object with a name')
    return str(row['name'])


def _shape(row: Document, name: str) -> tuple[int, ...]:
    shape = row.get('shape')
    if not isinstance(shape, list) or not 1 <= len(shape) <= MOST_DIMENSIONS \
            or not all(type(side) is int and 0 < side < 2**31 for side in shape):
        raise InvalidRequest(f'input {name} has the shape {str(shape)[:40]}; accepted: 1 to '
                             f'{MOST_DIMENSIONS} positive integers')
    return tuple(shape)


def _binary_size(row: Document, name: str) -> int | None:
    parameters = _optional(row, 'parameters', dict, {})
    if 'shared_memory_region' in parameters:
        raise InvalidRequest(f'input {name}: there is no shared memory; accepted: data, or '
                             'binary_data_size')
    size = parameters.get('binary_data_size')
    if size is None:
        return None
    if type(size) is not int or size < 0 or 'data' in row:
        raise InvalidRequest(
            f'input {name}: binary_data_size has to be a number of bytes, without data beside it')
    return size


def _from_json(data: object, name: str, datatype: str, shape: tuple[int, ...]) -> Array:
    if not isinstance(data, list):
        raise InvalidRequest(f'input {name} has no data; accepted: a list of numbers, or '
                             'binary_data_size')
    try:
        values = np.array(data)
    except (ValueError, OverflowError, RecursionError):
        values = np.array('')  # Ragged, or beyond any type.
    kinds = 'iu' if datatype == 'UINT8' else 'iuf'
    if values.dtype.kind not in kinds or values.size != math.prod(shape) or (
            datatype == 'UINT8' and not (values.min() >= 0 and values.max() <= 255)):
        raise InvalidRequest(
            f'data of input {name} is {values.dtype} {list(values.shape)}; accepted: '
            f'{math.prod(shape)} numbers that are {datatype}')
    return values.astype(DTYPES[datatype]).reshape(shape)


def _wish(row: object, binary: bool) -> OutputWish:
    name = _name(row, 'output')
    assert isinstance(row, dict)
    parameters = _optional(row, 'parameters', dict, {})
    for key in ('classification', 'shared_memory_region'):
        if key in parameters:
            raise InvalidRequest(f'output {name[:40]!r}: {key} is not done here')
    return OutputWish(name, _flag(parameters, 'binary_data', binary))


def _optional(row: Document, name: str, kind: type, default: Any) -> Any:
    value = row.get(name, default)
    if not isinstance(value, kind):
        raise InvalidRequest(f'{name} is a JSON {_kind(value)}; accepted: {kind.__name__}')
    return value


def _flag(row: Mapping[str, Any], name: str, default: bool) -> bool:
    value = row.get(name, default)
    if not isinstance(value, bool):
        raise InvalidRequest(f'{name} is {str(value)[:20]!r}; accepted: true or false')
    return value


def _kind(value: object) -> str:
    return 'null' if value is None else type(value).__name__
