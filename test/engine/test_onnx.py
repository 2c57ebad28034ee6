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

"""Exported networks: the file computes what PyTorch does, and never runs on something else."""

from dataclasses import replace
import json
import shutil

from depth_anything_ros.cli import main
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output
from depth_anything_ros.engine import onnx_files
from depth_anything_ros.engine.da3 import DA3Engine
from depth_anything_ros.engine.models import find
from depth_anything_ros.engine.onnx_engine import choose_provider, OnnxEngine
from depth_anything_ros.errors import ConfigError, InvalidRequest, ModelLoadFailed
from depth_anything_ros.service import load_engine
from depth_anything_ros.settings import changed, Settings
import numpy as np
import pytest
from tiny_networks import tiny_nested
import torch

pytestmark = pytest.mark.skipif(
    np.__version__.startswith('1.'), reason='exports take long and are made once, with numpy 2')

OPTIONS = FrameOptions(fov_deg=60.0, process_res=98, outputs=frozenset(Output))
CPU = ['CPUExecutionProvider']


def frame_of(width=128, height=96, seed=0):
    return Frame(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def run(engine, frames, options=OPTIONS):
    return [engine.finish(each) for each in engine.infer([
        engine.prepare(frame, options) for frame in frames])]


@pytest.fixture(scope='module')
def tiny_file(tmp_path_factory):
    """Return da3-tiny for 128x96, exported as a user does it."""
    path = tmp_path_factory.mktemp('onnx') / 'tiny.onnx'
    assert main.main(['export', '--onnx', str(path), '--model', 'da3-tiny', '--process-res', '98',
                      '--width', '128', '--height', '96']) == 0
    return path


def test_the_setting_engine_says_what_runs_the_network(tiny_file, capsys):
    torch, onnx = (load_engine(changed(Settings(), {
        'model.name': name, 'model.engine': engine, 'model.device': 'cpu'}))
        for name, engine in (('da3-tiny', 'torch'), (str(tiny_file), 'onnxruntime')))
    assert isinstance(onnx, OnnxEngine) and not isinstance(torch, OnnxEngine)
    assert onnx.info.model == 'da3-tiny' and onnx.info.kind is torch.info.kind
    for one, other in zip(*(run(engine, [frame_of(), frame_of(seed=1)])
                            for engine in (onnx, torch)), strict=True):
        np.testing.assert_allclose(one.depth, other.depth, rtol=1e-3)
        assert one.scale_law == other.scale_law
        assert (one.sky == other.sky).mean() > 0.999
    onnx.close()


def test_any_view_and_metric_networks_are_exported(tmp_path):
    # The nested network is one of each and what joins them; da3-tiny is a metric one alone.
    path, network, name = tmp_path / 'net.onnx', tiny_nested, 'da3nested-giant-large'
    assert onnx_files.export(network(), find(name), 70, 98, path) < 1e-4
    engine = OnnxEngine.load(str(path), device='cpu')
    expected, = run(DA3Engine(network(), find(name)), [frame_of()])
    found, = run(engine, [frame_of()])
    np.testing.assert_allclose(found.depth, expected.depth, rtol=1e-3)
    assert (found.confidence is None) == (expected.confidence is None)
    assert found.intrinsics.fx == pytest.approx(expected.intrinsics.fx, rel=1e-4)
    assert not engine.info.multi_view


def test_an_image_that_gets_another_size_is_refused(tiny_file):
    engine = OnnxEngine.load(str(tiny_file), device='cpu')
    with pytest.raises(InvalidRequest, match='takes 98x70 and nothing else'):
        engine.prepare(frame_of(128, 64), OPTIONS)
    with pytest.raises(InvalidRequest, match='takes 98x70'):
        engine.prepare(frame_of(), replace(OPTIONS, process_res=112))
    assert run(engine, [frame_of(256, 192)], replace(OPTIONS, process_res=0))[0].depth.shape \
        == (192, 256)


@pytest.mark.parametrize(('engine', 'name', 'error', 'text'), [
    ('onnxruntime', 'da3-tiny', ConfigError, 'accepted: the path of an .onnx file'),
    ('onnxruntime', '/nowhere/x.onnx', ModelLoadFailed, 'no file'),
    ('tensorrt', None, ConfigError, 'TensorrtExecutionProvider; this ONNX Runtime has'),
])
def test_what_cannot_be_run_is_said(engine, name, error, text, tiny_file):
    import onnxruntime
    if engine == 'tensorrt' and len(onnxruntime.get_available_providers()) > 2:
        pytest.skip('this ONNX Runtime has TensorRT')
    with pytest.raises(error, match=text):
        load_engine(changed(Settings(), {
            'model.name': name or str(tiny_file), 'model.engine': engine}))


def test_a_file_that_is_not_ours_is_refused(tmp_path):
    path = tmp_path / 'bad.onnx'
    path.write_bytes(b'nothing')
    with pytest.raises(ModelLoadFailed, match='cannot be loaded'):
        OnnxEngine.load(str(path))
    for metadata in ({}, {onnx_files.KEY: 'text'}, {onnx_files.KEY: json.dumps(
            {'model': 'da9', 'height': 70, 'width': 98, 'outputs': ['depth']})}):
        with pytest.raises(ModelLoadFailed, match='does not say which model'):
            onnx_files.read_about(metadata, 'x.onnx')


@pytest.mark.parametrize('wrong', [1.01, np.nan])
def test_an_export_that_computes_something_else_is_not_kept(tiny_file, tmp_path, wrong):
    path = tmp_path / 'net.onnx'
    shutil.copy(tiny_file, path)
    image = np.zeros((1, 3, 70, 98), np.float32)
    depth = OnnxEngine.load(str(path))._network(torch.from_numpy(image)).depth.numpy()
    assert onnx_files.check(path, image, depth) < 1e-5
    with pytest.raises(ModelLoadFailed, match='differs from PyTorch'):
        onnx_files.check(path, image, depth * np.float32(wrong))
    assert not path.exists()


@pytest.mark.parametrize(('engine', 'device', 'available', 'expected'), [
    ('onnxruntime', 'auto', CPU, 'CPUExecutionProvider'),
    ('onnxruntime', 'auto', ['CUDAExecutionProvider', *CPU], 'CUDAExecutionProvider'),
    ('onnxruntime', 'cpu', ['CUDAExecutionProvider', *CPU], 'CPUExecutionProvider'),
    ('tensorrt', 'cuda:1', ['TensorrtExecutionProvider', *CPU], 'TensorrtExecutionProvider'),
    ('onnxruntime', 'cuda', CPU, None), ('tensorrt', 'auto', CPU, None),
    ('tensorrt', 'cpu', ['TensorrtExecutionProvider', *CPU], None)])
def test_the_provider_is_the_one_that_was_asked_for_or_none(engine, device, available, expected):
    if expected is None:
        with pytest.raises(ConfigError, match='this ONNX Runtime has'):
            choose_provider(engine, device, available)
    else:
        provider, options = choose_provider(engine, device, available)
        assert provider == expected
        assert options == ({} if 'CPU' in expected else {'device_id': device[5:] or '0'})


def test_the_file_to_write_is_checked_first(capsys):
    assert main.main(['export', '--onnx', '/nowhere/at/all.onnx', '--model', 'da3-tiny']) == 2
    assert 'ending in .onnx' in capsys.readouterr().err
