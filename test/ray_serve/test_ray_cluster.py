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

"""A cluster with ``deploy/ray_serve.yaml`` on it: gateways that join, autoscaling, an update."""

from contextlib import contextmanager
import io
import os
import signal
import socket
import subprocess
import sys

import httpx
import numpy as np
import pytest
import ray_parts as parts
from ray_parts import PATIENCE_S, wait_until
import server_process
from server_process import environment, program, ROOT, server
import yaml

pytest.importorskip('ray')

MAIN = 'depth_anything_ros.cli.main'
FILE = ROOT / 'deploy' / 'ray_serve.yaml'
LONG_S = 300.0
"""Replicas that start beside others on few processors take their time."""
TOKEN = 'a token of nothing but these tests'


def free_ports(count):
    sockets = [socket.create_server(('127.0.0.1', 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def asked(url):
    return httpx.get(url, headers={'Authorization': f'Bearer {TOKEN}'}, trust_env=False)


@pytest.fixture(scope='module')
def token():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server_process, 'LONGEST_S', 2 * LONG_S)
        patch.setenv('RAY_AUTH_TOKEN', TOKEN)
        patch.setenv('RAY_AUTH_MODE', 'token')
        yield


@pytest.fixture(scope='module')
def cluster(token):
    """Yield the address of a cluster of one machine and that of its dashboard."""
    port, dashboard, agent = free_ports(3)
    process = subprocess.Popen(
        [sys.executable, '-m', 'ray.scripts.scripts', 'start', '--head', '--block',
         f'--port={port}', '--num-cpus=8', '--num-gpus=0',
         '--include-dashboard=true', '--dashboard-host=127.0.0.1',
         f'--dashboard-port={dashboard}', f'--dashboard-agent-listen-port={agent}',
         '--object-store-memory=1000000000', '--disable-usage-stats'],
        env={**environment(), 'RAY_SERVE_CONTROL_LOOP_INTERVAL_S': '0.1'},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        url = f'http://127.0.0.1:{dashboard}'

        def answers():
            try:
                return asked(f'{url}/api/version').status_code == 200
            except httpx.HTTPError:
                return False
        wait_until(answers, LONG_S)
        yield f'127.0.0.1:{port}', url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def deployed(folder, dashboard, **settings):
    """Deploy the file as it is, but for the model, the GPUs and the pace of its autoscaling."""
    config = yaml.safe_load(FILE.read_text(encoding='utf-8'))
    [application] = config['applications']
    application['args'].update({'model.name': 'da3-tiny', 'model.device': 'cpu', **settings})
    [deployment] = application['deployments']
    deployment['ray_actor_options']['num_gpus'] = 0
    deployment['autoscaling_config'].update(
        max_replicas=3, target_ongoing_requests=1, upscale_delay_s=0.5, metrics_interval_s=0.2,
        look_back_period_s=1.0)
    path = folder / 'ray_serve.yaml'
    path.write_text(yaml.safe_dump(config), encoding='utf-8')
    done = subprocess.run(
        [sys.executable, '-m', 'ray.serve.scripts', 'deploy', str(path), '-a', dashboard],
        capture_output=True, text=True, env=environment(), timeout=LONG_S)
    assert done.returncode == 0, done.stderr


def running(dashboard):
    """Return the replicas that run, those that are replaced among them."""
    found = asked(f'{dashboard}/api/serve/applications/').json()[
        'applications']['depth_anything']
    assert found['status'] != 'DEPLOY_FAILED', found
    deployment = found['deployments'].get('Depth', {'replicas': []})
    return {each['replica_id'] for each in deployment['replicas']
            if each['state'] == 'RUNNING'}


@contextmanager
def joined(address):
    with server(MAIN, 'serve', '--ray', '--ray-address', address, '--port', '0',
                names=1) as addresses:
        yield addresses['rest']


def test_without_the_application_a_gateway_says_what_is_missing(cluster):
    done = program(MAIN, 'serve', '--ray', '--ray-address', cluster[0], '--port', '0')
    assert done.returncode == 2 and 'is it deployed?' in done.stderr, done.stderr
    assert 'Traceback' not in done.stderr


def test_a_gateway_joins_replicas_are_added_and_replaced_under_load(cluster, tmp_path):
    address, dashboard = cluster
    # Replicas that wait for batches are slow enough for six clients to need three.
    slow = {'model.max_batch': 8, 'model.batch_window': 300.0}
    deployed(tmp_path, dashboard, **slow)
    wait_until(lambda: len(running(dashboard)) == 1, LONG_S)
    with joined(address) as gateway:
        load = parts.Load(gateway, 6)

        def names():
            page = httpx.get(f'{gateway}/metrics', trust_env=False).text
            return {line.split('"')[1] for line in page.splitlines()
                    if line.startswith('depth_anything_device_images_total{')}
        wait_until(lambda: load.replies)
        assert load.replies[0][1].status_code == 200, load.replies[0][1].text
        wait_until(lambda: len(names()) == 3, LONG_S)
        before = running(dashboard)
        assert names() <= before
        deployed(tmp_path, dashboard, **{**slow, 'model.batch_window': 200.0})
        wait_until(lambda: not before & running(dashboard), LONG_S)
        wait_until(lambda: names() and names() <= running(dashboard))
        replies = load.stop()
        assert {reply.status_code for _, reply in replies} == {200}
        # Not to the bit: images of one batch are computed together.
        first, *others = (np.load(io.BytesIO(reply.content), allow_pickle=False)
                          for seed, reply in replies if seed == 0)
        for depth in others:
            np.testing.assert_allclose(depth, first, rtol=1e-4)
