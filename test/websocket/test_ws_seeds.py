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

"""The examples of the seeds as they stand, against our server with a real (tiny) network."""

import json
import os
from pathlib import Path
import subprocess
import sys

import browser as chromium
from depth_anything_ros.engine.da3 import DA3Engine
from depth_anything_ros.engine.models import find
from depth_anything_ros.reconstruction.sessions import SessionLimits
import pytest
from server_process import code_blocks, server
from tiny_networks import tiny_any_view
from ws_parts import gltf, pictures, serving

ROOT = Path(__file__).resolve().parents[2]
QUICKSTART, FEATURES = 'websocket-quickstart.txt', 'websocket-features.txt'
SEED_ADDRESS = 'http://localhost:8000'


@pytest.fixture(scope='module')
def client():
    # The seeds' clients take messages of 1 MiB (trap W-a); the operator says how large models are.
    with serving(engine=DA3Engine(tiny_any_view(), find('da3-small')),
                 sessions=SessionLimits(points=40_000)) as client:
        yield client


@pytest.fixture
def folder(tmp_path):
    for index, data in enumerate(pictures(3), start=1):
        (tmp_path / f'img{index}.png').write_bytes(data)
    return tmp_path


def block(seed, language, word):
    blocks = code_blocks(seed, language)
    if blocks is None:
        pytest.skip(f'shared/seeds/{seed} is not here')
    return next(text for text in blocks if word in text)


def at(text, client):
    """Return an example with our address in place of the seed's."""
    ours = str(client.base_url).rstrip('/')
    return text.replace(SEED_ADDRESS, ours).replace(
        SEED_ADDRESS.replace('http', 'ws'), ours.replace('http', 'ws'))


def python(code, folder):
    environment = {
        name: value for name, value in os.environ.items() if 'proxy' not in name.lower()}
    done = subprocess.run([sys.executable, '-c', code], cwd=folder, capture_output=True, text=True,
                          timeout=240, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_python_quick_start_runs_as_it_stands(client, folder):
    said = python(at(block(QUICKSTART, 'python', 'asyncio.run(reconstruct())'), client), folder)
    for text in ('Created session', 'Uploaded: img3.png', 'Saved output.glb'):
        assert text in said
    document, _ = gltf((folder / 'output.glb').read_bytes())
    assert len(document['meshes']) == 4, 'a cloud and three cameras'


def test_the_python_example_of_the_features_runs_as_it_stands(client, folder):
    code = at(block(FEATURES, 'python', 'asyncio.run(process())'), client)
    before = ('images = [open(f"img{i}.png", "rb").read() for i in (1, 2, 3)]\n'
              'def save_glb(data): open("features.glb", "wb").write(base64.b64decode(data))\n')
    python(before + code, folder)
    assert len(gltf((folder / 'features.glb').read_bytes())[0]['meshes']) == 4


def test_the_page_of_the_quick_start_runs_as_it_stands(client, folder, browser):
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
    import threading
    (folder / 'index.html').write_text(at(block(QUICKSTART, 'html', 'createSession'), client))

    class Quiet(SimpleHTTPRequestHandler):

        def __init__(self, *arguments):
            super().__init__(*arguments, directory=folder)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(('127.0.0.1', 0), Quiet) as pages:
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        try:
            browser.get(f'http://127.0.0.1:{pages.server_port}/index.html')
            browser.execute_script(
                'window.saved = []; HTMLAnchorElement.prototype.click = function () {'
                ' window.saved.push([this.download, this.href]); };')
            files = '\n'.join(str(folder / f'img{index}.png') for index in (1, 2, 3))
            browser.find_element('id', 'images').send_keys(files)
            browser.find_element('tag name', 'button').click()
            chromium.wait_for(
                browser,
                "return document.getElementById('status').textContent.includes('Complete')", 240)
            name, size = browser.execute_async_script(
                'const done = arguments[0]; const [name, href] = window.saved[0];'
                'fetch(href).then(r => r.blob()).then(b => done([name, b.size]));')
            assert name == 'model.glb' and size > 1000
            assert not chromium.problems(browser)
        finally:
            pages.shutdown()


def test_g5_the_program_takes_the_flags_of_the_seed(folder):
    arguments = ('--model-dir', 'da3-tiny', '--device', 'cpu', '--port', '0')
    with server('depth_anything_ros.cli.main', 'ws', *arguments, names=1) as addresses:
        done = subprocess.run(
            [sys.executable, str(ROOT / 'compat/depth_anything_3/examples/websocket_client.py'),
             '--images', 'img1.png', '--output', 'one.glb', '--base-url', addresses['ws'],
             '--delete-session'], cwd=folder, capture_output=True, text=True, timeout=240,
            env={**os.environ, 'PYTHONPATH': str(ROOT)})
        assert done.returncode == 0, done.stderr
        assert 'wrote       one.glb' in done.stdout and 'note' in done.stdout
        import httpx
        listed = httpx.get(f'{addresses["ws"]}/ws/sessions', trust_env=False).json()
        assert listed['sessions'] == [], json.dumps(listed)
    gltf((folder / 'one.glb').read_bytes())
