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

"""The page /reconstruct in a real browser, from pictures to a rendered cloud."""

import filecmp
import os
from pathlib import Path
import shutil
import subprocess
import threading

from browser import problems, wait_for
from depth_anything_ros.bridges.access import Access
from depth_anything_ros.engine.da3 import DA3Engine
from depth_anything_ros.engine.models import find
from depth_anything_ros.reconstruction.sessions import SessionLimits
import numpy as np
import pytest
from tiny_networks import tiny_any_view
from ws_parts import as_seen, pictures, serving, unknown_views

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / 'web'
PAGE = ROOT / 'depth_anything_ros' / 'bridges' / 'websocket' / 'page'
MODELS = 'return Number(document.body.dataset.models ?? 0)'
STAGE = "return document.getElementById('stage').textContent"
ERROR = "return document.getElementById('error').textContent"


@pytest.fixture(scope='module')
def client():
    with serving(sessions=SessionLimits(points=30_000)) as client:
        yield client


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp('pictures')
    for index, data in enumerate(pictures(8)):
        (folder / f'view_{index}.png').write_bytes(data)
    return [str(folder / f'view_{index}.png') for index in range(8)]


def opened(browser, client, query=''):
    browser.get(f'{client.bridge.address}/reconstruct{query}')
    return browser


def element(browser, name):
    return browser.find_element('id', name)


def press(browser, name):
    browser.execute_script('arguments[0].click()', element(browser, name))


def add(browser, files, taken):
    element(browser, 'files').send_keys('\n'.join(files))
    wait_for(browser, f"return document.querySelectorAll('#thumbnails .taken').length === {taken}")


def drawn(browser):
    """Return the share of the view's pixels that show something."""
    return browser.execute_script("""
        const viewer = window.reconstruction.viewer;
        viewer.renderer.render(viewer.scene, viewer.camera);
        const canvas = viewer.renderer.domElement;
        const copy = document.createElement('canvas');
        copy.width = canvas.width; copy.height = canvas.height;
        const context = copy.getContext('2d');
        context.drawImage(canvas, 0, 0);
        const data = context.getImageData(0, 0, copy.width, copy.height).data;
        let shown = 0;
        for (let at = 3; at < data.length; at += 4) shown += data[at] > 0;
        return shown / (data.length / 4);""")


def eye(browser):
    return browser.execute_script(
        'return window.reconstruction.viewer.camera.position.toArray()')


def looked_at(browser, name):
    """Keep a picture of the page where somebody wants to look at it."""
    folder = os.environ.get('DEPTH_ANYTHING_TEST_SCREENSHOTS')
    if folder:
        browser.save_screenshot(str(Path(folder) / name))


def test_from_pictures_to_a_rendered_cloud_and_back_by_its_address(browser, client, files):
    opened(browser, client)
    add(browser, files, 8)
    press(browser, 'generate')
    wait_for(browser, f'{MODELS} === 1')
    assert drawn(browser) > 0.03
    looked_at(browser, 'reconstruct_rgb.png')
    facts = element(browser, 'facts').text
    assert '30,000 of' in facts and 'metres' in facts
    before = browser.execute_script(
        'return window.reconstruction.viewer.points.geometry.getAttribute("color").array.length')
    for kind in ('depth', 'confidence', 'rgb'):
        browser.execute_script(f"""
            const choice = document.getElementById('colour');
            choice.value = '{kind}'; choice.dispatchEvent(new Event('change'));""")
        looked_at(browser, f'reconstruct_{kind}.png')
    assert before > 0
    # The exact engine has no confidence; the page says so and stays with the colours.
    assert element(browser, 'colour').get_property('value') == 'rgb'
    place = eye(browser)
    press(browser, 'finalize')
    wait_for(browser, f'{MODELS} === 2')
    np.testing.assert_allclose(eye(browser), place)
    address = browser.current_url
    assert '?session=' in address
    browser.get(address)
    wait_for(browser, f"{STAGE}.includes('8 pictures from before')")
    press(browser, 'generate')
    wait_for(browser, f'{MODELS} === 1')
    assert not problems(browser)
    loaded = browser.execute_script(
        'return performance.getEntriesByType("resource").map((entry) => entry.name)')
    assert loaded and all(name.startswith(client.bridge.address) for name in loaded)


def test_a_real_network_colours_by_confidence(browser, files):
    engine = DA3Engine(tiny_any_view(), find('da3-small'))
    with serving(engine=engine, sessions=SessionLimits(points=20_000)) as client:
        opened(browser, client)
        add(browser, files[:2], 2)
        press(browser, 'generate')
        wait_for(browser, f'{MODELS} === 1')
        browser.execute_script("""
            const choice = document.getElementById('colour');
            choice.value = 'confidence'; choice.dispatchEvent(new Event('change'));""")
        assert element(browser, 'colour').get_property('value') == 'confidence'
        colours = browser.execute_script("""
            const {geometry} = window.reconstruction.viewer.points;
            return [geometry.getAttribute('color').array.constructor.name,
                    geometry.getAttribute('_confidence').count];""")
        assert colours == ['Float32Array', 20_000]
        assert 'the scale is unknown' in element(browser, 'facts').text
        looked_at(browser, 'reconstruct_network.png')


def test_two_points_are_as_far_apart_as_in_the_room(browser, client, files):
    opened(browser, client)
    add(browser, files[:1], 1)
    press(browser, 'generate')
    wait_for(browser, f'{MODELS} === 1')
    press(browser, 'measure')
    # From the first camera's place, where a pixel of the picture is a point that is known.
    depth, camera = as_seen_depth()
    ends = [(30, 40), (80, 50)]
    texts = browser.execute_script("""
        const viewer = window.reconstruction.viewer;
        const [camera, ends] = arguments;
        viewer.camera.position.set(0, 0, 0.001);
        viewer.controls.target.set(0, 0, -1);
        viewer.camera.fov = 2 * Math.atan(camera.height / 2 / camera.fy) * 180 / Math.PI;
        viewer.camera.updateProjectionMatrix();
        viewer.controls.update();
        viewer.camera.updateMatrixWorld(true);
        const canvas = viewer.renderer.domElement, box = canvas.getBoundingClientRect();
        const scale = box.height / camera.height;
        return ends.map(([u, v]) => {
          const x = box.left + box.width / 2 + (u - camera.cx) * scale;
          const y = box.top + box.height / 2 + (v - camera.cy) * scale;
          canvas.dispatchEvent(new MouseEvent('click', {clientX: x, clientY: y, bubbles: true}));
          return document.getElementById('distance').textContent;
        });""", camera, ends)
    assert texts[0].startswith('One point') and texts[1].endswith(' m')
    points = [np.array([(u - camera['cx']) / camera['fx'], (v - camera['cy']) / camera['fy'], 1])
              * depth[v, u] for u, v in ends]
    expected = np.linalg.norm(points[0] - points[1])
    assert abs(float(texts[1].split()[0]) - expected) < 0.1 * expected
    looked_at(browser, 'reconstruct_measure.png')


def as_seen_depth():
    from scene_world import CAMERA, seen
    frames, depth, _ = seen()
    return depth[0], {
        'fx': CAMERA.fx, 'fy': CAMERA.fy, 'cx': CAMERA.cx, 'cy': CAMERA.cy,
        'height': frames[0].rgb.shape[0]}


def test_a_refused_picture_says_why_beside_it_and_others_go_on(browser, client, files, tmp_path):
    broken = tmp_path / '<b>broken.png'
    broken.write_bytes(b'no picture')
    opened(browser, client)
    element(browser, 'files').send_keys(f'{broken}\n{files[0]}')
    wait_for(browser, "return document.querySelectorAll('#thumbnails .taken').length === 1")
    refused = browser.find_element('css selector', '#thumbnails .refused').text
    assert 'no picture that can be read' in refused
    assert browser.find_element('css selector', '#thumbnails .name').text == '<b>broken.png'


def test_a_lost_connection_comes_back_and_the_session_with_it(browser, client, files):
    opened(browser, client)
    add(browser, files[:2], 2)
    browser.execute_script('window.reconstruction.session.socket.close()')
    wait_for(browser, 'return window.reconstruction.session.socket.readyState === 1')
    wait_for(browser, "return document.getElementById('state').textContent === 'connected'")
    add(browser, files[2:3], 3)
    press(browser, 'generate')
    wait_for(browser, f'{MODELS} === 1')
    assert 'of 3 pictures' in element(browser, 'stage').text


def test_a_slow_network_shows_what_it_waits_for(browser, client, files):
    browser.execute_cdp_cmd('Network.enable', {})
    slow = {'offline': False, 'latency': 400, 'downloadThroughput': 400_000,
            'uploadThroughput': 100_000}
    try:
        browser.execute_cdp_cmd('Network.emulateNetworkConditions', slow)
        opened(browser, client)
        element(browser, 'files').send_keys('\n'.join(files[:2]))
        seen = wait_for(browser, "return document.querySelector('#thumbnails li')?.textContent")
        assert 'waiting' in seen or 'sending' in seen or 'taken' in seen
        wait_for(browser, "return document.querySelectorAll('#thumbnails .taken').length === 2")
        press(browser, 'generate')
        wait_for(browser, f'{MODELS} === 1')
    finally:
        browser.execute_cdp_cmd('Network.emulateNetworkConditions', {
            'offline': False, 'latency': 0, 'downloadThroughput': -1, 'uploadThroughput': -1})


def test_an_expired_session_is_said_and_a_new_one_begins(browser, client, files):
    opened(browser, client, '?session=00000000-0000-0000-0000-000000000000')
    wait_for(browser, f"{ERROR}.includes('not there any more')")
    assert '?session' not in browser.current_url
    add(browser, files[:1], 1)
    assert '?session=' in browser.current_url


def test_a_model_after_each_image_and_cancel(browser, files):
    entered, opened_gate, slow = threading.Event(), threading.Event(), threading.Event()

    def views(frames):
        if slow.is_set():
            entered.set()
            assert opened_gate.wait(60)
        return as_seen(frames)

    with serving(views) as client:
        opened(browser, client)
        press(browser, 'live')
        add(browser, files[:2], 2)
        wait_for(browser, f'{MODELS} === 2')
        press(browser, 'live')
        slow.set()
        press(browser, 'generate')
        assert entered.wait(60)
        wait_for(browser, f"{STAGE}.includes('Processing 2 images')")
        press(browser, 'cancel')
        wait_for(browser, f"{STAGE}.includes('Stopping')")
        opened_gate.set()
        wait_for(browser, f"{STAGE} === 'Cancelled.'")


def test_the_webcam_and_pasted_pictures(browser):
    with serving(unknown_views) as client:
        opened(browser, client)
        press(browser, 'webcam')
        wait_for(browser, "return document.getElementById('video').videoWidth > 0")
        press(browser, 'capture')
        wait_for(browser, "return document.querySelectorAll('#thumbnails .taken').length === 1")
        browser.execute_script("""
            const canvas = document.createElement('canvas');
            canvas.width = canvas.height = 64;
            canvas.toBlob((blob) => {
              const data = new DataTransfer();
              data.items.add(new File([blob], 'pasted.png', {type: 'image/png'}));
              document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data}));
            });""")
        wait_for(browser, "return document.querySelectorAll('#thumbnails .taken').length === 2")
        assert not problems(browser)


def test_a_server_with_a_key_asks_for_it(browser, files):
    with serving(access=Access(key='secret')) as client:
        opened(browser, client)
        element(browser, 'files').send_keys(files[0])
        wait_for(browser, "return !document.getElementById('key-form').hidden")
        element(browser, 'key').send_keys('secret')
        element(browser, 'key').submit()
        add(browser, files[1:2], 1)


def test_it_works_on_a_phone_and_by_keyboard(browser, client, files):
    from selenium.webdriver.common.keys import Keys
    browser.set_window_size(420, 900)
    try:
        opened(browser, client)
        add(browser, files[:2], 2)
        element(browser, 'generate').send_keys(Keys.ENTER)
        wait_for(browser, f'{MODELS} === 1')
        place = eye(browser)
        element(browser, 'view').send_keys('+')
        assert eye(browser) != place
        place = eye(browser)
        element(browser, 'view').send_keys(Keys.ARROW_LEFT)
        assert eye(browser) != place
        looked_at(browser, 'reconstruct_phone.png')
        wide = browser.execute_script(
            'return document.documentElement.scrollWidth - document.documentElement.clientWidth')
        assert wide <= 0
        unnamed = browser.execute_script("""
            return [...document.querySelectorAll('button, input, select, video')].filter((item) =>
              !item.textContent.trim() && !item.getAttribute('aria-label') && !item.labels?.length)
              .map((item) => item.outerHTML);""")
        assert unnamed == []
    finally:
        browser.set_window_size(1280, 900)


def test_the_policy_forbids_scripts_inside_the_page(client):
    reply = client.get('/reconstruct')
    policy = reply.headers['content-security-policy']
    assert "script-src 'self'" in policy and 'unsafe' not in policy
    assert '<script src=' in reply.text and 'onclick' not in reply.text


def test_the_bundle_is_what_its_sources_make(tmp_path):
    """Build it again where npm and its registry are to be had."""
    if shutil.which('npm') is None:
        pytest.skip('npm is not installed')
    copy = tmp_path / 'web'
    shutil.copytree(WEB, copy, ignore=shutil.ignore_patterns('node_modules'))
    installed = subprocess.run(
        ['npm', 'ci', '--no-audit', '--no-fund', '--ignore-scripts'], cwd=copy,
        capture_output=True, text=True, timeout=240)
    if installed.returncode != 0:
        pytest.skip(f'npm could not install: {installed.stderr[-300:]}')
    built = tmp_path / 'page'
    done = subprocess.run(['node', 'build.mjs', str(built)], cwd=copy, capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in PAGE.iterdir())
    assert names == sorted(path.name for path in built.iterdir())
    same, different, strange = filecmp.cmpfiles(PAGE, built, names, shallow=False)
    assert sorted(same) == names, (different, strange)
