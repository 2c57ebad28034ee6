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

"""Replicas by Ray Serve give the results of the engine in this process, to the bit."""

from functools import partial
import os
import subprocess
import sys

from bridge_parts import picture
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output, OutputSize, PER_PIXEL, SkyMode
from depth_anything_ros.service import load_engine, open_service
import pytest
from ray_parts import PATIENCE_S, replicas, settings_of, wait_until

pytest.importorskip('ray')

SCENE = picture(3, 320, 200)
CAMERA = Intrinsics(300.0, 310.0, 159.5, 99.5, 320, 200)
TINY = settings_of(model__name='da3-tiny', model__device='cpu', model__queue_size=32)


@pytest.fixture(scope='module')
def both(local_ray):
    """Yield services of one network: two replicas of it, and here."""
    with replicas(partial(load_engine, TINY), 2) as there:
        here = open_service(TINY)
        yield there, here
        here.close()


def same(there, here):
    for name in ('depth', 'confidence', 'sky', 'cloud', 'preview', 'processed'):
        one, other = getattr(there, name), getattr(here, name)
        assert (one is None) == (other is None), name
        if one is not None:
            # As bytes: a NaN is equal to itself here, and -0 not to 0.
            assert one.dtype == other.dtype and one.shape == other.shape, name
            assert one.tobytes() == other.tobytes(), name
    for name in ('scale_law', 'intrinsics', 'model', 'kind', 'notes', 'raw', 'estimated'):
        assert getattr(there, name) == getattr(here, name), name


@pytest.mark.parametrize('options', [
    FrameOptions(outputs=frozenset(PER_PIXEL)),
    FrameOptions(outputs=frozenset({Output.DEPTH, Output.POINTS}), output_size=OutputSize.MODEL),
    FrameOptions(process_res=112, process_res_method='lower_bound_crop', minimum=0.5, maximum=3.0,
                 outputs=frozenset({Output.DEPTH, Output.POINTS}), sky_mode=SkyMode.FAR),
    FrameOptions(raw=True)], ids=('all', 'model size', 'cropped', 'raw'))
def test_both_replicas_give_the_bits_of_the_network_here(both, options):
    there, here = both
    frame = Frame(SCENE, stamp_ns=5, frame_id='camera', intrinsics=CAMERA)
    expected = here.estimate(frame, options, PATIENCE_S)

    def asked():
        """Ask several at once, and return how many replicas have answered so far."""
        futures = [there.submit(lambda: frame, options) for _ in range(6)]
        for future in futures:
            found = future.result(PATIENCE_S)
            same(found, expected)
            assert found.frame is frame and found.timings['infer'] > 0
        return sum(each.images > 0 for each in there.devices())
    wait_until(lambda: asked() == 2)


def test_the_replicas_say_what_their_network_is(both):
    there, here = both
    for name in ('model', 'kind', 'licence', 'precision', 'process_res', 'has_confidence',
                 'has_sky', 'predicts_intrinsics', 'multi_view', 'warnings'):
        assert getattr(there.info, name) == getattr(here.info, name)
    assert there.info.device == 'ray (cpu)' and not there.info.degraded
    assert there.device_memory() is None


@pytest.mark.parametrize('token', ['', 'another one'])
def test_nobody_joins_our_ray_without_its_token(both, token, tmp_path):
    import ray
    address = ray.get_runtime_context().gcs_address
    done = subprocess.run(
        [sys.executable, '-c', f'import ray; ray.init(address={address!r}); print("in")'],
        capture_output=True, text=True, timeout=PATIENCE_S, env={
            **os.environ, 'HOME': str(tmp_path), 'RAY_AUTH_MODE': 'token' if token else 'disabled',
            'RAY_AUTH_TOKEN': token})
    assert done.returncode and 'in' not in done.stdout.split(), done.stdout
    assert 'auth' in done.stderr.lower(), done.stderr
