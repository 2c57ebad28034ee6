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

"""Build a model's network from the upstream classes, without upstream's API module."""

from __future__ import annotations

import os
from typing import Any
import warnings

from depth_anything_ros.engine.dependencies import missing
from depth_anything_ros.engine.models import Model
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

GAUSSIAN_PARTS = ('gs_head', 'gs_adapter')
"""Parts of giant and nested that only draw Gaussian splats, and need packages we do not."""


class _ShapesOnly(TorchFunctionMode):
    """
    Build modules without memory for their weights.

    Upstream reads numbers out of a ``linspace`` while it builds (the stochastic depth rates),
    which has none on the meta device: that one tensor stays on the CPU.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.linspace:
            kwargs['device'] = 'cpu'
        return func(*args, **kwargs)


def build(model: Model) -> nn.Module:
    """
    Return the network of a model on the meta device: shapes without memory.

    :param model: a row of the table.
    :raises MissingDependency: when a package that the network needs is not installed.
    """
    with torch.device('meta'), _ShapesOnly():
        return _construct(model)


def build_random(model: Model, seed: int) -> nn.Module:
    """
    Return the network of a model on the CPU with seeded random weights.

    :param model: a row of the table.
    :param seed: the same seed gives the same weights; the caller's random state is kept.
    :raises MissingDependency: when a package that the network needs is not installed.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _construct(model)
    for name, parameter in network.named_parameters():
        # The fov output is a ReLU; untrained it is often 0, which is no camera at all.
        if name.endswith('cam_dec.fc_fov.0.bias'):
            parameter.data.fill_(1.0)
    return network


def _construct(model: Model) -> nn.Module:
    try:
        import_upstream()
    except ModuleNotFoundError as error:
        raise missing(error) from error
    if not model.repo:
        from depth_anything_ros.engine.tiny import build_tiny
        return build_tiny().eval()
    return _construct_upstream(model.name).eval()


def _construct_upstream(name: str) -> nn.Module:
    from depth_anything_3.cfg import create_object, load_config
    from depth_anything_3.registry import MODEL_REGISTRY
    # Only files inside the package: a configuration from elsewhere could run any code.
    config: Any = load_config(MODEL_REGISTRY[name])
    for part in GAUSSIAN_PARTS:
        config.pop(part, None)
        if 'anyview' in config:
            config.anyview.pop(part, None)
    network = create_object(config)
    assert isinstance(network, nn.Module)
    return network


def import_upstream() -> None:
    """Import upstream's network classes, its logger kept to errors unless DA3_LOG_LEVEL is set."""
    from depth_anything_3.utils.logger import LOG_LEVELS, logger
    if 'DA3_LOG_LEVEL' not in os.environ:
        logger.level = LOG_LEVELS['ERROR']
    with warnings.catch_warnings():
        # omegaconf 2.4 deprecates a call that upstream makes while it is imported.
        warnings.filterwarnings('ignore', 'register_new_resolver', UserWarning)
        import depth_anything_3.model.da3  # noqa: F401
