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

"""The browser that the tests of web pages share: it draws, and it reaches this machine only."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import threading

from browser import problems, wait_for
import pytest

PAGE = b"""<!doctype html><title>page</title><canvas id="view" width="16" height="16"></canvas>
<button onclick="this.textContent = 'pressed'">press</button>
<script>
const gl = document.getElementById('view').getContext('webgl', {preserveDrawingBuffer: true});
gl.clearColor(0, 0.5, 1, 1);
gl.clear(gl.COLOR_BUFFER_BIT);
const pixel = new Uint8Array(4);
gl.readPixels(3, 3, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
document.title = pixel.join();
</script>"""


@pytest.fixture(scope='module')
def url():
    class Handler(BaseHTTPRequestHandler):

        def do_GET(self):
            self.send_response(200)
            self.send_header('Content-Type', 'text/html')
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f'http://127.0.0.1:{server.server_port}/'
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_runs_scripts_draws_and_clicks(browser, url):
    browser.get(url)
    assert browser.title == '0,128,255,255'
    button = browser.find_element('css selector', 'button')
    button.click()
    assert button.text == 'pressed'
    assert browser.get_screenshot_as_png().startswith(b'\x89PNG')
    assert not problems(browser)


def test_every_test_begins_with_an_empty_window(browser):
    assert browser.current_url in ('about:blank', 'data:,')
    assert len(browser.window_handles) == 1


def test_nothing_from_elsewhere_can_be_loaded(browser, url):
    browser.get(url)
    browser.execute_script(
        "fetch('https://cdn.example.org/three.js').catch(error => {window.failure = error.name})")
    assert wait_for(browser, 'return window.failure') == 'TypeError'
    assert any('ERR_NAME_NOT_RESOLVED' in text for text in problems(browser))
