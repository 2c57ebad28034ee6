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

import signal
import socket

from depth_anything_ros.cli.demo_processes import (
    DemoFailed,
    DOMAINS,
    free_domain,
    isolate,
    Program,
)
import pytest


def test_a_domain_in_use_is_left_alone():
    taken = []
    try:
        for domain in DOMAINS[1:]:
            port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            taken.append(port)
            try:
                port.bind(('', 7400 + 250 * domain + 10))
            except OSError:
                pass  # somebody else is there already
        first = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        taken.append(first)
        try:
            first.bind(('', 7400 + 250 * DOMAINS[0] + 10))
        except OSError:
            pytest.skip('the only free domain is in use')
        first.close()
        assert free_domain() == DOMAINS[0]
    finally:
        for port in taken:
            port.close()


def test_ros_stays_on_this_machine():
    environment = {'ROS_DISTRO': 'jazzy'}
    assert isolate(environment, 7) == 7
    assert environment['ROS_DOMAIN_ID'] == '7'
    assert environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'
    humble = {'ROS_DISTRO': 'humble'}
    isolate(humble, 7)
    assert humble['ROS_LOCALHOST_ONLY'] == '1'


def program(tmp_path, code):
    (tmp_path / 'helper.py').write_text(code)
    return Program('helper', 'helper', [], tmp_path / 'helper.log')


@pytest.fixture
def modules(tmp_path, monkeypatch):
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))


def ended(run):
    run._process.wait(20)
    return run


def test_a_failed_program_is_shown_with_the_end_of_its_log(tmp_path, modules):
    code = "print(*range(99), 'no weights', sep='\\n')\nexit(3)"
    run = ended(program(tmp_path, code))
    with pytest.raises(DemoFailed, match='helper ended with code 3') as caught:
        run.check()
    assert 'no weights' in str(caught.value) and '\n    40\n' not in str(caught.value)


def test_a_killed_program_says_by_what(tmp_path, modules):
    run = program(tmp_path, 'import time\ntime.sleep(60)')
    run.check()
    run._process.send_signal(signal.SIGKILL)
    with pytest.raises(DemoFailed, match='killed by SIGKILL'):
        ended(run).check()


def test_a_program_that_does_not_listen_is_ended_all_the_same(tmp_path, modules, monkeypatch):
    monkeypatch.setattr('depth_anything_ros.cli.demo_processes.STOP_TIMEOUT', 0.5)
    deaf = 'import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n' \
           "print('deaf')\ntime.sleep(60)"
    with program(tmp_path, deaf) as run:
        while 'deaf' not in run.log.read_text():
            pass
        assert run.stop() == -signal.SIGTERM
