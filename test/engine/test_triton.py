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

"""Triton model repositories: the text is Triton's, the file computes what the engine does."""

from __future__ import annotations

from dataclasses import replace
import importlib.metadata
import importlib.util

from depth_anything_ros.bridges.kserve import metadata
from depth_anything_ros.cli import main
from depth_anything_ros.core.camera import Intrinsics
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions, Output
from depth_anything_ros.engine.da3 import DA3Engine
from depth_anything_ros.engine.loading import load_network
from depth_anything_ros.engine.models import find, MODELS
from depth_anything_ros.engine.onnx_engine import OnnxEngine
from depth_anything_ros.engine.onnx_files import import_runtime
from depth_anything_ros.engine.predicted import is_plausible, plausible_camera
from depth_anything_ros.engine.triton import compare, export_repository, ServedNetwork
from depth_anything_ros.engine.triton_config import config_text, ServedModel
from depth_anything_ros.errors import ConfigError, ModelLoadFailed
import numpy as np
import pytest
from tiny_networks import tiny_metric, tiny_nested
import torch

pytestmark = pytest.mark.skipif(
    np.__version__.startswith('1.'), reason='exports take long and are made once, with numpy 2')

HEIGHT, WIDTH = 70, 98

EXPORT = ['export', '--model', 'da3-tiny', '--process-res', '98', '--width', '128',
          '--height', '96']

TYPES = {'tensor(uint8)': 'TYPE_UINT8', 'tensor(float)': 'TYPE_FP32', 'tensor(bool)': 'TYPE_BOOL'}


@pytest.fixture(scope='module')
def repository(tmp_path_factory):
    """Return a repository with da3-tiny, exported as a user does it."""
    folder = tmp_path_factory.mktemp('triton') / 'new' / 'models'
    assert main.main([*EXPORT, '--triton', str(folder), '--max-batch', '6']) == 0
    return folder


@pytest.fixture(scope='module')
def nested(tmp_path_factory):
    folder = tmp_path_factory.mktemp('nested')
    written = export_repository(
        tiny_nested(), find('da3nested-giant-large'), HEIGHT, WIDTH, folder)
    assert written.difference < 1e-3 and written.valid > 0.5
    return written.folder


def parsed(text):
    """Return a configuration as Triton's own message, by the code that tritonclient brings."""
    protobuf = pytest.importorskip('google.protobuf.text_format')
    pytest.importorskip('tritonclient')
    # Its package needs gRPC; this generated file does not.
    path = importlib.metadata.distribution('tritonclient').locate_file(
        'tritonclient/grpc/model_config_pb2.py')
    spec = importlib.util.spec_from_file_location('model_config_pb2', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return protobuf.Parse(text, module.ModelConfig())


def session_of(folder):
    return import_runtime().InferenceSession(
        str(folder / '1' / 'model.onnx'), providers=['CPUExecutionProvider'])


def served(folder, images, cameras=None):
    """Return the outputs by name."""
    session = session_of(folder)
    inputs = {'image': images}
    if cameras is not None:
        inputs['intrinsics'] = np.array([camera.matrix() for camera in cameras], np.float32)
    names = [row.name for row in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def images(count, seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, HEIGHT // 14, WIDTH // 14, 3), dtype=np.uint8)
    return coarse.repeat(14, 1).repeat(14, 2)


def cameras(count):
    return [Intrinsics(80 + 20 * at, 90 + 20 * at, WIDTH / 2, HEIGHT / 2, WIDTH, HEIGHT)
            for at in range(count)]


def by_engine(engine, pictures, given):
    options = FrameOptions(process_res=WIDTH, outputs=frozenset({
        Output.DEPTH, Output.SKY, Output.CONFIDENCE, Output.INTRINSICS}))
    return [engine.finish(engine.infer([engine.prepare(
        Frame(rgb, intrinsics=camera), options)])[0])
        for rgb, camera in zip(pictures, given, strict=True)]


@pytest.mark.parametrize('name', ['da3-tiny', 'da3nested-giant-large'])
def test_the_configuration_is_tritons_and_fits_the_file(name, repository, nested):
    folder = nested if name.startswith('da3nested') else repository / name
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob('*')) == [
        '1', '1/model.onnx', 'config.pbtxt']
    assert [path.name for path in folder.parent.iterdir()] == [name], 'nothing is left beside it'
    config = parsed((folder / 'config.pbtxt').read_text())
    assert (config.name, config.backend) == (name, 'onnxruntime')
    assert config.max_batch_size == (8 if folder == nested else 6)
    assert config.HasField('dynamic_batching')
    assert config.dynamic_batching.default_queue_policy.max_queue_size == 32
    session, kinds = session_of(folder), type(config.input[0]).DESCRIPTOR.fields_by_name[
        'data_type'].enum_type.values_by_number
    for rows, found in ((config.input, session.get_inputs()),
                        (config.output, session.get_outputs())):
        assert [(row.name, kinds[row.data_type].name, list(row.dims)) for row in rows] == [
            (row.name, TYPES[row.type], row.shape[1:]) for row in found]
        assert all(isinstance(row.shape[0], str) for row in found), 'any number of images'
    warm = config.model_warmup[0]
    assert sorted(warm.inputs) == sorted(row.name for row in config.input)
    said = session.get_modelmeta().custom_metadata_map
    assert {key: each.string_value for key, each in config.parameters.items()} == said
    assert said['units'] == 'm' and said['licence'] == find(name).licence
    if name == 'da3-tiny':
        assert 'for demos and tests only' in said['warnings']


@pytest.mark.parametrize('model', MODELS, ids=lambda model: model.name)
def test_every_models_configuration_says_unit_law_and_tensors(model):
    warnings = ('weights: "random"', 'a\\b and 3 µm\n')
    config = parsed(config_text(ServedModel(model, 378, 504, 8, warnings)))
    said = {key: each.string_value for key, each in config.parameters.items()}
    assert said['warnings'] == '; '.join(warnings)
    relative = model.kind is DepthKind.RELATIVE
    assert (said['units'], said['kind']) == (
        ('relative', 'relative') if relative else ('m', 'metric'))
    assert said['scale_law'].startswith(model.kind.value)
    assert ('unknown scale' in said['scale_law']) == relative
    takes = [row.name for row in config.input]
    assert takes == (['image', 'intrinsics'] if model.kind is DepthKind.CANONICAL else ['image'])
    assert set(takes) <= set(metadata.INPUTS), 'as our own server names them'
    gives = [row.name for row in config.output]
    assert gives == ['depth'] + ['confidence'] * model.has_confidence + ['sky'] * model.has_sky \
        + ['camera'] * model.predicts_intrinsics
    assert set(gives) - {'camera'} <= set(metadata.OUTPUTS)


def test_da3_tiny_gives_the_engines_metres_in_every_batch(repository):
    expected = by_engine(DA3Engine.load('da3-tiny', device='cpu'), images(6), cameras(6))
    for count in (1, 2, 3, 6):
        found = served(repository / 'da3-tiny', images(6)[:count], cameras(count))
        assert found['depth'].shape == (count, HEIGHT, WIDTH)
        assert np.isfinite(found['depth']).mean() > 0.5
        for at, each in enumerate(expected[:count]):
            np.testing.assert_allclose(found['depth'][at], each.depth, rtol=1e-4)
            np.testing.assert_array_equal(found['sky'][at], each.sky)


def test_the_nested_model_gives_the_engines_metres_and_cameras(nested):
    engine = DA3Engine(tiny_nested(), find('da3nested-giant-large'))
    found = served(nested, images(3))
    assert np.isfinite(found['depth']).mean() > 0.5
    for at, each in enumerate(by_engine(engine, images(3), [None] * 3)):
        np.testing.assert_allclose(found['depth'][at], each.depth, rtol=1e-3)
        np.testing.assert_allclose(found['confidence'][at], each.confidence, rtol=1e-3)
        np.testing.assert_allclose(found['camera'][at], each.estimated.matrix(), rtol=1e-4)


def test_without_a_focal_length_there_are_no_metres(repository):
    one = cameras(1)[0]
    twice = replace(one, fx=2 * one.fx, fy=2 * one.fy)
    first, second = (served(repository / 'da3-tiny', images(1), [camera])['depth']
                     for camera in (one, twice))
    np.testing.assert_allclose(second, 2 * first, rtol=1e-6)
    for focal in (0.0, -100.0, np.nan, np.inf):
        matrix = np.diag(np.array([focal, focal, 1], np.float32))[None]
        depth, = session_of(repository / 'da3-tiny').run(
            ['depth'], {'image': images(1), 'intrinsics': matrix})
        assert np.isnan(depth).all(), focal


def test_a_camera_that_cannot_be_gives_no_metres():
    focals = np.array([0, 1e-3, 2.0, 50, 1000, 2000, 1e7, np.nan, np.inf])
    matrices = torch.tensor([[[each, 0, 49], [0, 80, 35], [0, 0, 1]] for each in focals])
    for batch in (matrices, matrices.transpose(1, 2).flip(1, 2)):
        assert is_plausible(batch, WIDTH, HEIGHT).tolist() == [
            plausible_camera(each, WIDTH, HEIGHT) is not None for each in batch]
    assert is_plausible(matrices, WIDTH, HEIGHT).tolist() == [
        focal in (50, 1000, 2000) for focal in focals]


def test_a_file_that_computes_something_else_is_found(repository):
    network = load_network('da3-tiny', 'cpu', 'fp32').network
    module = ServedNetwork(network, ServedModel(find('da3-tiny'), HEIGHT, WIDTH, 6)).eval()
    path = repository / 'da3-tiny' / '1' / 'model.onnx'
    assert compare(module, path)[0] < 1e-4
    module.mean += 0.1
    with pytest.raises(ModelLoadFailed, match='differs from PyTorch'):
        compare(module, path)


def test_what_cannot_be_exported_leaves_nothing(tmp_path, repository):
    with pytest.raises(ModelLoadFailed, match='cannot export'):
        export_repository(tiny_metric(), find('da3-tiny'), HEIGHT, WIDTH + 1, tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ConfigError, match='is there already'):
        export_repository(tiny_metric(), find('da3-tiny'), HEIGHT, WIDTH, repository)


@pytest.mark.parametrize('given, text', [
    (['--triton', __file__], 'accepted: a folder'),
    (['--triton', __file__ + '/below'], 'cannot be written: Not a directory'),
    (['--triton', 'models', '--max-batch', '0'], 'accepted: 1 to 1024'),
])
def test_arguments_are_checked(given, text, capsys):
    assert main.main([*EXPORT, *given]) == 2
    assert text in capsys.readouterr().err


@pytest.mark.parametrize('given', [[], ['--triton', 'models', '--onnx', 'file.onnx']])
def test_one_form_is_to_be_named(given):
    with pytest.raises(SystemExit, match='2'):
        main.main([*EXPORT, *given])


def test_our_node_says_that_it_runs_another_file(repository):
    with pytest.raises(ModelLoadFailed, match='export --onnx'):
        OnnxEngine.load(str(repository / 'da3-tiny' / '1' / 'model.onnx'))
