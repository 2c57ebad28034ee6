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

"""Replicas that are killed, broken, overloaded, updated: what becomes of every request."""

import threading
import time

from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.errors import DeadlineExceeded, NotReady
import httpx
import pytest
import ray_parts as parts
from ray_parts import PATIENCE_S, replicas, wait_until

pytest.importorskip('ray')
pytestmark = pytest.mark.usefixtures('local_ray')

QUICK = {'health_check_period_s': 0.5, 'health_check_timeout_s': 10.0}


def test_a_replica_that_is_killed_under_load_costs_no_request(tmp_path):
    with replicas(parts.given(tmp_path, 0.03), 2, **QUICK) as service, \
            parts.gateway(service) as address:
        first, second = before = parts.processes(tmp_path)
        load = parts.Load(address, 8)
        wait_until(lambda: len(load.replies) > 40)
        parts.kill(first)
        killed_at = len(load.replies)
        wait_until(lambda: len(parts.processes(tmp_path)) == 2)
        wait_until(lambda: len(load.replies) > killed_at + 100)
        replies = load.stop()
        assert second in parts.processes(tmp_path) and first not in parts.processes(tmp_path)
        for seed, reply in replies:
            if reply.status_code == 503:
                assert reply.json()['code'] in ('not_ready', 'busy')
                assert int(reply.headers['Retry-After']) > 0
            else:
                assert reply.status_code == 200 and parts.is_right(seed, reply), reply.text
        refused = sum(reply.status_code != 200 for _, reply in replies)
        print(f'{len(replies)} requests, {refused} answered 503')
        assert refused <= 8  # what was at the replica, and unlucky twice
        assert len(before) == 2 and not service.info.degraded


def test_the_only_replica_is_killed_and_replaced(tmp_path):
    with replicas(parts.given(tmp_path, 0.03), 1, **QUICK) as service, \
            parts.gateway(service) as address:
        load = parts.Load(address, 4)
        wait_until(lambda: len(load.replies) > 20)
        [only] = parts.processes(tmp_path)
        parts.kill(only)
        killed_at = len(load.replies)
        wait_until(lambda: sum(
            reply.status_code == 200 for _, reply in load.replies[killed_at + 8:]) > 20)
        for seed, reply in load.stop():
            assert reply.status_code == 503 and reply.headers['Retry-After'] \
                or reply.status_code == 200 and parts.is_right(seed, reply), reply.text
        assert not service.info.degraded


def test_64_clients_at_2_slow_replicas_are_served_or_refused_at_once(tmp_path):
    from depth_anything_ros.ray_serve import deployed
    load = parts.given(tmp_path, 0.5)
    # A name of its own: where an application is deleted and deployed anew, Ray 2.60 goes on with
    # the old one's limits in a process that knew it. An update, as here, reaches everybody.
    with replicas(load, 2, 'crowd') as service, parts.gateway(service) as address:
        parts.submit(service).result(PATIENCE_S)
        deployed(load, parts.settings_of(), 'crowd', num_replicas=2, max_ongoing_requests=2,
                 max_queued_requests=4, ray_actor_options=parts.ONE_CPU).close()
        ends, start = [], threading.Barrier(64)

        def ask(seed):
            with httpx.Client(base_url=address, timeout=PATIENCE_S, trust_env=False) as client:
                body = parts.png(seed)
                start.wait()
                begin = time.monotonic()
                reply = parts.post(client, body)
                ends.append((reply.status_code, time.monotonic() - begin, seed, reply))
        threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2 * PATIENCE_S)
        assert len(ends) == 64
        served = [end for end in ends if end[0] == 200]
        refused = [end for end in ends if end[0] != 200]
        assert all(parts.is_right(seed, reply) for _, _, seed, reply in served)
        for status, _, _, reply in refused:
            assert status in (429, 503) and reply.headers['Retry-After']
            assert reply.json()['code'] in ('busy', 'limit_exceeded')
        print(f'served {len(served)}, slowest {max(end[1] for end in served):.2f} s; refused '
              f'{len(refused)}, slowest {max(end[1] for end in refused):.2f} s')
        # Two have room at each replica and four in front; late ones may find a place that is free.
        assert 4 <= len(served) <= 12
        # At once: not behind those that have their turns.
        assert max(end[1] for end in refused) < max(end[1] for end in served)
        assert service.statistics().under_way == 0


def test_deadlines_and_cancellation_reach_the_replica(tmp_path):
    with replicas(parts.given(tmp_path, 0.5), 1, max_ongoing_requests=8) as service:
        parts.submit(service, 0).result(PATIENCE_S)
        running = parts.submit(service, 1)
        wait_until(lambda: parts.mark(1) in parts.seen(tmp_path))
        late, withdrawn, last = (
            parts.submit(service, 2, seconds=0.2), parts.submit(service, 3),
            parts.submit(service, 4))
        # It is in the replica's queue by then.
        time.sleep(0.2)
        assert withdrawn.cancel()
        with pytest.raises(DeadlineExceeded):
            late.result(PATIENCE_S)
        assert running.result(PATIENCE_S) and last.result(PATIENCE_S)
        assert [parts.mark(seed) in parts.seen(tmp_path) for seed in range(5)] == [
            True, True, False, False, True]
        found = service.statistics()
        assert (found.done, found.expired, found.cancelled, found.under_way) == (3, 1, 1, 0)


def test_a_broken_device_ends_its_replica_and_costs_no_request(tmp_path):
    with replicas(parts.given(tmp_path, 0.02), 2, **QUICK) as service, \
            parts.gateway(service) as address:
        before = parts.processes(tmp_path)
        load = parts.Load(address, 6)
        wait_until(lambda: len(load.replies) > 30)
        broken = min(before)
        (tmp_path / f'broken-{broken}').touch()
        wait_until(lambda: broken not in parts.processes(tmp_path))
        wait_until(lambda: len(parts.processes(tmp_path)) == 2)
        for seed, reply in load.stop():
            assert reply.status_code == 503 and reply.headers['Retry-After'] \
                or reply.status_code == 200 and parts.is_right(seed, reply), reply.text


def test_a_device_that_breaks_while_nobody_asks_is_found(tmp_path):
    with replicas(parts.given(tmp_path), 1, **QUICK):
        [before] = parts.processes(tmp_path)
        (tmp_path / f'broken-{before}').touch()
        wait_until(lambda: parts.processes(tmp_path) - {before}, 2 * PATIENCE_S)
        wait_until(lambda: before not in parts.processes(tmp_path))


def test_an_update_under_load_refuses_nothing(tmp_path):
    from depth_anything_ros.ray_serve import deployed
    old, new = tmp_path / 'old', tmp_path / 'new'
    old.mkdir()
    new.mkdir()
    with replicas(parts.given(old, 0.02), 2) as service, parts.gateway(service) as address:
        load = parts.Load(address, 6)
        wait_until(lambda: len(load.replies) > 30)
        deployed(parts.given(new, 0.03), parts.settings_of(), num_replicas=2,
                 ray_actor_options=parts.ONE_CPU).close()
        wait_until(lambda: not parts.processes(old) and len(parts.processes(new)) == 2)
        after = len(load.replies)
        wait_until(lambda: len(load.replies) > after + 30)
        replies = load.stop()
        assert {reply.status_code for _, reply in replies} == {200}
        assert all(parts.is_right(seed, reply) for seed, reply in replies)


def test_replicas_that_end_answer_what_they_have_begun(tmp_path):
    from ray import serve
    with replicas(parts.given(tmp_path, 0.5), 2, max_ongoing_requests=2) as service:
        futures = [parts.submit(service, seed) for seed in range(4)]
        wait_until(lambda: len(parts.seen(tmp_path)) >= 2)
        serve.delete('depth_anything')
        assert all(future.result(PATIENCE_S) for future in futures)
        assert not parts.processes(tmp_path)
        with pytest.raises((NotReady, DeadlineExceeded)):
            parts.submit(service, 5, seconds=2).result(PATIENCE_S)


def test_an_update_to_another_model_is_not_used_unnoticed(tmp_path):
    from depth_anything_ros.ray_serve import deployed
    with replicas(parts.given(tmp_path), 1) as service:
        parts.submit(service).result(PATIENCE_S)
        deployed(parts.given(tmp_path, model='another'), parts.settings_of(), num_replicas=1,
                 ray_actor_options=parts.ONE_CPU).close()
        with pytest.raises(NotReady, match='now runs another.*configure anew'):
            parts.submit(service).result(PATIENCE_S)
        assert 'now runs another' in service.info.degraded


def test_closing_answers_every_request(tmp_path):
    with replicas(parts.given(tmp_path, 0.2), 1, max_ongoing_requests=2) as service:
        futures = [parts.submit(service, seed) for seed in range(4)]
        wait_until(lambda: parts.seen(tmp_path))
        service.close(PATIENCE_S)
        assert all(future.result(0) for future in futures)


def test_a_stream_keeps_its_order_and_its_newest_frame(tmp_path):
    with replicas(parts.given(tmp_path, 0.02), 2) as service:
        stamps, errors = [], []
        stream = service.stream(
            'camera', lambda result: stamps.append(result.frame.stamp_ns), errors.append)
        for stamp in range(60):
            item = parts.frame(stamp)
            stream.submit(lambda item=item: item, FrameOptions(raw=True))
            time.sleep(0.005)
        wait_until(lambda: stream.counts().waiting == 0)
        counts = stream.counts()
        assert stamps == sorted(set(stamps)) and stamps[-1] == 59 and not errors
        assert counts.received == 60 == counts.done + counts.dropped and counts.dropped


def test_images_of_one_shape_share_a_call(tmp_path):
    settings = parts.settings_of(
        model__queue_size=64, model__max_batch=4, model__batch_window=100.0)
    with replicas(parts.given(tmp_path), 1, settings=settings,
                  max_ongoing_requests=16) as service:
        items = [parts.frame(seed, *size) for seed in range(8) for size in ((80, 60), (40, 60))]
        futures = [service.submit(lambda item=item: item, FrameOptions(raw=True))
                   for item in items]
        for item, future in zip(items, futures):
            assert future.result(PATIENCE_S).depth.shape == tuple(
                side // 4 for side in item.rgb.shape[:2])
        batches = service.statistics().batches
        assert sum(size * count for size, count in batches.items()) == 16
        assert max(batches) > 1 and max(batches) <= 4
