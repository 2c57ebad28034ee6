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

"""The OpenAPI document: complete, and true for whatever a client makes of it."""

from __future__ import annotations

from bridge_parts import picture
import cv2
from depth_anything_ros.bridges.access import Access
from depth_anything_ros.bridges.rest.inner import OPEN_PATHS
from depth_anything_ros.core.depth import DepthKind
import hypothesis
import numpy as np
import pytest
from rest_parts import serving

schemathesis = pytest.importorskip('schemathesis')
requests = pytest.importorskip('requests')

IMAGE = cv2.imencode('.png', picture(0, 20, 15))[1].tobytes()

DEPTH = np.linspace(1, 9, 20 * 15, dtype=np.float32).reshape(15, 20)


@pytest.fixture(scope='module')
def client():
    with serving(lambda frame: DEPTH, kind=DepthKind.METRIC) as found:
        yield found


@pytest.fixture(scope='module')
def document(client):
    return client.get('/openapi.json').json()


def operations(document):
    for path, methods in document['paths'].items():
        if path.startswith('/ws/'):  # of another room, with tests of its own
            continue
        for method, operation in methods.items():
            yield path, method, operation


def test_every_operation_says_what_it_takes_and_answers(document):
    assert len(list(operations(document))) >= 15
    for path, method, operation in operations(document):
        where = f'{method} {path}'
        assert operation['summary'] and operation['tags'], where
        for parameter in operation.get('parameters', []):
            assert parameter.get('description') or parameter['name'] == 'camera', where
        codes = set(operation['responses'])
        if path not in OPEN_PATHS:
            assert {'401', '403', '429', '500', '503'} <= codes, (where, codes)
        if method == 'post' and path.startswith('/v1/') or path in ('/pc', '/metric_depth'):
            assert {'400', '406', '413', '415', '504'} <= codes, (where, codes)
            assert operation['requestBody']['content'], where
        for code, reply in operation['responses'].items():
            assert reply['description'], (where, code)
            if code[0] in '45' and 'application/json' in reply.get('content', {}):
                assert reply['content']['application/json'].get('example') \
                    or path in ('/readyz', '/health'), (where, code)


def test_references_lead_somewhere(document):
    def walk(value):
        if isinstance(value, dict):
            if '$ref' in value:
                target = document
                for part in value['$ref'].removeprefix('#/').split('/'):
                    target = target[part]
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)
    walk(document)


def test_keys_are_described_where_they_are_needed(document):
    assert 'securitySchemes' not in document['components']
    with serving(access=Access(key='secret')) as keyed:
        found = keyed.get('/openapi.json').json()
    assert set(found['components']['securitySchemes']) == {'bearer', 'key'}
    for path, _, operation in operations(found):
        assert ('security' in operation) is (path not in OPEN_PATHS), path


def trial(operation, address, tried):
    """Return a test of one operation with made-up requests; half of them with a picture."""
    raw = operation.definition.raw
    documented = {*raw['responses'], '405'}
    takes_pictures = 'image/png' in raw.get('requestBody', {}).get('content', {})

    @hypothesis.settings(
        max_examples=12, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(
        data=hypothesis.strategies.data(), real=hypothesis.strategies.booleans(),
        mode=hypothesis.strategies.sampled_from(list(schemathesis.GenerationMode)))
    def ask(data, real, mode):
        case = data.draw(operation.as_strategy(generation_mode=mode))
        given = case.as_transport_kwargs(base_url=address)
        given['headers'] = {**dict(given.get('headers') or {}), 'X-Deadline-Ms': '200'}
        if real and takes_pictures:
            given = {name: value for name, value in given.items()
                     if name not in ('json', 'files', 'data')} | {'data': IMAGE}
            given['headers']['Content-Type'] = 'application/octet-stream'
        with requests.Session() as session:
            session.trust_env = False
            with session.request(**given, timeout=60, stream=True) as reply:
                assert reply.status_code != 500, (given, reply.text)
                assert str(reply.status_code) in documented, (reply.status_code, given)
                tried.add((operation.path, reply.status_code))
    return ask


def test_no_input_gives_500_or_an_undocumented_status(client, document):
    paths = {path for path in document['paths'] if not path.startswith('/ws/')}
    tried = set()
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = found.ok()
        if operation.path in paths:
            trial(operation, client.bridge.address, tried)()
    assert {path for path, _ in tried} == paths
    assert ('/v1/depth', 200) in tried and ('/v1/depth', 400) in tried
    assert client.get('/livez').status_code == 200
