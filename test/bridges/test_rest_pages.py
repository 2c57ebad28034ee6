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

"""The pages in a real browser: nothing from elsewhere, nothing that the policy forbids."""

from __future__ import annotations

import json
import threading

from bridge_parts import picture
from browser import problems, wait_for
import cv2
from depth_anything_ros.bridges.access import Access
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.errors import InferenceFailed
import numpy as np
import pytest
from rest_parts import client_of, serving

WIDTH, HEIGHT = 160, 120
RAMP = np.tile(np.linspace(1, 8, WIDTH, dtype=np.float32), (HEIGHT, 1))
RAMP[:20, :20] = np.nan
HOSTILE = '<img src=x onerror=alert(1)>'
SOURCES = 'return performance.getEntriesByType("resource").map((entry) => entry.name)'


def depth_of(frame):
    if frame.rgb[0, 0, 0] == 13:
        raise InferenceFailed('on purpose')
    return RAMP


@pytest.fixture(scope='module')
def client():
    with serving(depth_of, kind=DepthKind.METRIC) as found:
        yield found


@pytest.fixture(scope='module')
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp('pictures') / 'photo.png'
    cv2.imwrite(str(path), picture(1, WIDTH, HEIGHT))
    return path


def nothing_foreign(browser, address):
    for name in browser.execute_script(SOURCES):
        assert name.startswith((address, 'blob:', 'data:')), name
    assert not problems(browser)


def test_docs_list_every_route(browser, client):
    address = client.bridge.address
    browser.get(f'{address}/docs')
    wait_for(browser, "return document.querySelectorAll('.opblock').length > 10")
    shown = {item.text for item in browser.find_elements('css selector', '.opblock-summary-path')}
    listed = {path.replace('_', '_\u200b') for path in client.get('/openapi.json').json()['paths']}
    plain = {text.replace('\u200b', '') for text in shown}
    assert {path.replace('\u200b', '') for path in listed} == plain
    nothing_foreign(browser, address)


def test_redoc(browser, client):
    address = client.bridge.address
    browser.get(f'{address}/redoc')
    wait_for(browser, "return document.body.textContent.includes('/v1/pointcloud')")
    wait_for(browser, "return document.querySelector('h1') !== null")
    nothing_foreign(browser, address)


@pytest.mark.parametrize('path', ['/', '/dashboard', '/docs', '/redoc', '/assets/dashboard.js'])
def test_p7_policies_and_caching(client, path):
    reply = client.get(path)
    policy = reply.headers['Content-Security-Policy']
    assert "default-src 'none'" in policy and "script-src 'self';" in policy
    assert 'unsafe-eval' not in policy and reply.headers['X-Frame-Options'] == 'DENY'
    if path in ('/', '/dashboard'):
        assert 'unsafe-inline' not in policy
    again = client.get(path, headers={'If-None-Match': reply.headers['ETag']})
    assert again.status_code == 304 and not again.content
    assert client.head(path).status_code == 200


def test_no_page_has_an_address_or_a_script_inside(client):
    for path in ('/', '/docs', '/redoc'):
        text = client.get(path).text
        assert 'http://' not in text and 'https://' not in text and '//' not in text
        assert 'onclick' not in text and '<script>' not in text and 'style=' not in text


def test_paths_that_leave_the_folder(client):
    for path in ('/assets/../server.py', '/assets/%2e%2e/server.py', '/assets/..%2fserver.py',
                 '/assets//etc/passwd', '/assets/README.txt', '/assets/'):
        assert client.get(path).status_code == 404


def test_the_dashboard_says_what_runs(browser, client):
    address = client.bridge.address
    service = client.bridge.context.service()
    stream = service.stream(HOSTILE, lambda result: None, lambda error: None)
    stop = threading.Event()

    def feed():
        while not stop.wait(0.05):
            frame = Frame(picture(1, WIDTH, HEIGHT))
            stream.submit(lambda frame=frame: frame, FrameOptions())

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        dark = cv2.imencode('.png', np.full((60, 80, 3), 13, np.uint8))[1].tobytes()
        assert client.post('/v1/depth', content=dark).status_code == 500
        assert client.get(f'/v1/stream/{HOSTILE}x').status_code == 404
        browser.get(address)
        wait_for(browser, "return document.querySelector('#stage').textContent === 'ready'")
        text = browser.find_element('tag name', 'main').text
        for expected in ('given', 'metric', 'under way', 'cancelled by the client', 'p95',
                         'depth is given by a function', 'inference_failed', HOSTILE):
            assert expected in text, (expected, text)
        browser.find_element('css selector', '#cameras button').click()
        wait_for(browser, "return document.querySelector('#cameras img').naturalWidth === 160")
        browser.find_element('css selector', '#cameras button').click()
        assert len(browser.find_elements('css selector', '#cameras img')) == 1
        nothing_foreign(browser, address)
    finally:
        stop.set()
        thread.join()
        stream.close()


def test_a_picture_is_tried_by_mouse_and_by_keyboard(browser, client, photo):
    address = client.bridge.address
    browser.get(f'{address}/dashboard')
    browser.find_element('id', 'file').send_keys(str(photo))
    wait_for(browser, "return !document.getElementById('result').hidden")
    reading = browser.find_element('id', 'reading')
    assert reading.text == f'x 80, y 60: {RAMP[60, 80]:.3f} m'
    wait_for(browser, "return document.getElementById('photo').naturalWidth === 160")
    ends = [float(browser.find_element('id', name).text.removesuffix(' m'))
            for name in ('nearest', 'farthest')]
    np.testing.assert_allclose(ends, np.nanpercentile(RAMP, (2, 98)), atol=0.1)
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys
    canvas = browser.find_element('id', 'depth')
    canvas.send_keys(Keys.ARROW_RIGHT + Keys.ARROW_DOWN)
    assert reading.text == f'x 81, y 61: {RAMP[61, 81]:.3f} m'
    ActionChains(browser).move_to_element_with_offset(canvas, 40, 20).perform()
    x, y = (int(part.split()[1]) for part in reading.text.partition(':')[0].split(', '))
    assert x > 85 and reading.text.endswith(f'{RAMP[y, x]:.3f} m')
    canvas.send_keys((Keys.SHIFT + Keys.ARROW_UP) * 20, (Keys.SHIFT + Keys.ARROW_LEFT) * 20)
    assert 'no depth' in reading.text
    for form in ('npy', 'png', 'ply'):
        browser.find_element('css selector', f'button[data-format="{form}"]').click()
        wait_for(browser, f"return document.getElementById('message').textContent"
                          f".startsWith('depth.{form}: ')")
    nothing_foreign(browser, address)
    size = browser.execute_script('return [document.documentElement.scrollWidth, innerWidth]')
    assert size[0] <= size[1]


@pytest.mark.parametrize(('kind', 'field'), [
    ('drop', 'dataTransfer'), ('paste', 'clipboardData')])
def test_a_picture_is_dropped_or_pasted(browser, client, photo, kind, field):
    browser.get(client.bridge.address)
    # A browser gives no way to drag a file in from outside; the event is the one it would send.
    browser.execute_script("""
        const [kind, field, bytes] = arguments;
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], 'photo.png', {type: 'image/png'}));
        const make = kind === 'drop' ? DragEvent : ClipboardEvent;
        document.body.dispatchEvent(new make(kind, {[field]: data, bubbles: true}));
    """, kind, field, list(photo.read_bytes()))
    wait_for(browser, "return !document.getElementById('result').hidden")
    reading = browser.find_element('id', 'reading').text
    assert reading == f'x 80, y 60: {RAMP[60, 80]:.3f} m'
    nothing_foreign(browser, client.bridge.address)


def test_everything_is_reached_by_the_tab_key_and_shows_it(browser, client, photo):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys
    browser.get(client.bridge.address)
    browser.find_element('id', 'file').send_keys(str(photo))
    wait_for(browser, "return !document.getElementById('result').hidden")
    browser.execute_script('document.activeElement.blur(); scrollTo(0, 0)')
    reached = {}
    for _ in range(20):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        name, outline = browser.execute_script(
            'const item = document.activeElement; '
            "const seen = item.id === 'file' ? item.parentElement : item; "
            'return [item.id || item.textContent, getComputedStyle(seen).outlineStyle]')
        reached[name] = outline
    for name in ('file', 'fov', 'camera', 'depth', '.npy', '16-bit .png', '.ply', 'API'):
        assert reached.get(name) == 'solid', (name, reached)


def test_a_wrong_picture_is_said(browser, client, tmp_path):
    (tmp_path / 'bad.png').write_bytes(b'GIF89a')
    browser.get(client.bridge.address)
    browser.find_element('id', 'file').send_keys(str(tmp_path / 'bad.png'))
    wait_for(browser, "return document.getElementById('message').textContent.includes('accepted')")
    assert 'bad' in browser.find_element('id', 'message').get_attribute('class')


def test_the_key_is_asked_for(browser):
    with serving(lambda frame: RAMP, kind=DepthKind.METRIC, access=Access(key='secret')) as found:
        browser.get(found.bridge.address)
        wait_for(browser, "return !document.getElementById('key-form').hidden")
        browser.find_element('id', 'key').send_keys('secret\n')
        wait_for(browser, "return document.querySelector('#stage').textContent === 'ready'")
        assert browser.find_element('id', 'key-form').get_attribute('hidden')
        assert 'secret' not in browser.current_url


def test_on_a_phone_and_in_the_dark(browser, client, photo):
    browser.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', {
        'width': 375, 'height': 800, 'deviceScaleFactor': 1, 'mobile': True})
    browser.execute_cdp_cmd('Emulation.setEmulatedMedia', {
        'features': [{'name': 'prefers-color-scheme', 'value': 'dark'}]})
    try:
        browser.get(client.bridge.address)
        browser.find_element('id', 'file').send_keys(str(photo))
        wait_for(browser, "return !document.getElementById('result').hidden")
        assert browser.execute_script('return document.documentElement.scrollWidth') <= 375
        back = browser.execute_script('return getComputedStyle(document.body).backgroundColor')
        assert sum(json.loads(back.replace('rgb(', '[').replace(')', ']'))) < 150
    finally:
        browser.execute_cdp_cmd('Emulation.clearDeviceMetricsOverride', {})
        browser.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': []})


def test_the_status_while_loading(client):
    from depth_anything_ros.bridges.rest.options import RestOptions
    from depth_anything_ros.bridges.rest.server import RestBridge
    bridge = RestBridge(RestOptions(), 0)
    bridge.listen()
    try:
        with client_of(bridge) as other:
            found = other.get('/v1/status').json()
            assert found['stage'] == 'loading' and found['model'] is None
    finally:
        bridge.stop()
    found = client.get('/v1/status').json()
    assert found['stage'] == 'ready' and found['requests']['queue_size'] == 32
    assert found['uptime_s'] >= 0
