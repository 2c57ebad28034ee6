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
A real headless Chromium for tests of web pages: the fixture ``browser`` of conftest.py.

Chromium and its driver are the distribution's (packages chromium and chromium-driver; scripts/test
installs them where it may), driven by selenium from requirements/test.txt. No other page, font or
script can be reached than those of this machine: what a page needs from elsewhere fails the test,
as it would on a robot. WebGL works, in software; getUserMedia gets a made-up camera.

    def test_a_page(browser, server):
        browser.get(server.url)
        browser.find_element('css selector', '#send').click()
        wait_for(browser, "return document.querySelector('#state').textContent === 'done'")
        assert not problems(browser)

One browser serves all tests of a run, each in a window of its own: selenium's driver, so
``browser.get``, ``find_element``, ``execute_script`` and ``save_screenshot``.
"""

import importlib.util
import os
import shutil

CHROMIUM = ('chromium', 'chromium-browser', 'google-chrome')
FLAGS = (
    '--headless=new', '--no-sandbox', '--disable-dev-shm-usage', '--window-size=1280,900',
    '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader',
    '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
    '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost',
    '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-default-apps')
TIMEOUT = 60.0


def problem():
    """Return why no browser can be started here, None when one can."""
    if not any(map(shutil.which, CHROMIUM)) or not shutil.which('chromedriver'):
        return 'no Chromium with its driver (Debian, Ubuntu: apt install chromium chromium-driver)'
    if importlib.util.find_spec('selenium') is None:
        return 'selenium is not installed (pip install selenium)'
    return None


def required():
    """Whether a missing browser is a failure: in CI nobody would see that it was skipped."""
    return os.environ.get('CI', '') not in ('', '0', 'false')


def start(profile):
    """Return a driver whose Chromium keeps everything in the folder ``profile``."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    options = webdriver.ChromeOptions()
    options.binary_location = next(filter(None, map(shutil.which, CHROMIUM)))
    for flag in (*FLAGS, f'--user-data-dir={profile}'):
        options.add_argument(flag)
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    # The path is given, so selenium does not look for a driver elsewhere.
    driver = webdriver.Chrome(options, Service(shutil.which('chromedriver')))
    driver.set_page_load_timeout(TIMEOUT)
    driver.set_script_timeout(TIMEOUT)
    return driver


def fresh_window(driver):
    """Leave whatever was open, so that the next test begins with an empty window."""
    old = driver.window_handles
    driver.switch_to.new_window('window')
    for handle in old:
        new = driver.current_window_handle
        driver.switch_to.window(handle)
        driver.close()
        driver.switch_to.window(new)
    driver.get_log('browser')


def wait_for(driver, script, timeout=TIMEOUT):
    """Wait until a script returns something true, and return that."""
    from selenium.webdriver.support.ui import WebDriverWait
    return WebDriverWait(driver, timeout, 0.05).until(
        lambda driver: driver.execute_script(script),
        f'not true within {timeout:g} s: {script}')


def problems(driver):
    """Return what the console says since it was last asked: errors, and what was not loaded."""
    return [entry['message'] for entry in driver.get_log('browser')
            if entry['level'] in ('SEVERE', 'WARNING')
            # The software renderer says of itself that it is slow.
            and 'GPU stall' not in entry['message'] and 'favicon' not in entry['message']]
