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

"""``depth-anything models``: the models, the licences of their weights, and fetching them."""

from __future__ import annotations

import argparse

from depth_anything_ros.engine.models import find, Model, MODELS
from depth_anything_ros.engine.weights import locate
from depth_anything_ros.errors import ModelLoadFailed

HELP = 'List the models with the licences of their weights, or fetch weights.'

FORM = '{:<22} {:<10} {:>10}  {:<13} {:<8} {}'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument('--download', metavar='NAME', nargs='+', default=[],
                        help='fetch the weights of these models from the hub')


def run(arguments: argparse.Namespace) -> int:
    """Fetch what was asked for, or print the table."""
    for model in [find(name) for name in arguments.download]:
        weights = locate(model.name, download=True)
        print(f'{model.name}: {weights.path} (licence of the weights: {model.licence})')
    if not arguments.download:
        print(FORM.format('model', 'depth', 'parameters', 'licence', 'here', 'what it adds'))
        for model in MODELS:
            print(FORM.format(
                model.name, model.kind.value, f'{model.parameters / 1e6:.1f} M', model.licence,
                'yes' if is_here(model) else 'no', adds(model)))
        print('\ncanonical and metric depth is in metres, relative depth has no unit; '
              'licence: of the weights')
    return 0


def is_here(model: Model) -> bool:
    """Return whether the weights of a model are on this machine."""
    try:
        locate(model.name)
    except ModelLoadFailed:
        return False
    return True


def adds(model: Model) -> str:
    """Return what a model gives beside depth, and what a user must know."""
    parts = {'confidence': model.has_confidence, 'sky': model.has_sky,
             'intrinsics': model.predicts_intrinsics, 'many views': model.multi_view}
    text = ', '.join(name for name, has in parts.items() if has)
    return f'{text}; {model.note}' if model.note else text
