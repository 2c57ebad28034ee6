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

"""``depth-anything bag``: depth of every image of a recording, as a new recording."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
import sys
from typing import TYPE_CHECKING

from depth_anything_ros.cli.given_settings import add_set, settings_given
from depth_anything_ros.cli.progress import Progress
from depth_anything_ros.core.depth import DepthKind
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.engine.base import EngineInfo
from depth_anything_ros.errors import ConfigError
from depth_anything_ros.frame_options import options_of
from depth_anything_ros.settings import ModelSettings, Settings

if TYPE_CHECKING:
    from depth_anything_ros.bags.conversion import Plan
    from depth_anything_ros.bags.reading import InputBag
    from depth_anything_ros.bags.records import Topic
    from depth_anything_ros.bags.summary import Summary

HELP = 'Estimate the depth of every image in a rosbag2 and write a new one; needs no ROS.'


SETTINGS = ('depth.', 'points.', 'sky.', 'mount.', 'scan.')
"""Groups of settings that ``--set`` takes."""

OF_THE_NODE = ('points.max_rate', 'points.target_frame', 'points.tf_timeout')
"""Settings in those groups that mean nothing here: every image counts, and there is no TF."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument('input', type=Path,
                        help='rosbag2 folder (sqlite3 or mcap), or a single .mcap or .db3 file')
    parser.add_argument('output', type=Path, help='folder of the new bag, same storage as INPUT')
    parser.add_argument('--image-topic', default='', help='default: the only one with images')
    parser.add_argument('--camera-info-topic', default='',
                        help='default: camera_info beside the image topic, else the only one')
    parser.add_argument('--model', default=ModelSettings.name,
                        help='model name, directory or .safetensors file (default: %(default)s)')
    parser.add_argument('--device', default='auto', help='auto, cuda, cuda:N or cpu')
    parser.add_argument('--download', action='store_true', help='fetch missing weights')
    camera = parser.add_mutually_exclusive_group()
    camera.add_argument('--fov', type=float, default=0.0,
                        help='horizontal field of view in degrees of images without camera_info')
    camera.add_argument('--focal', type=float, default=0.0,
                        help='focal length in pixels of images without camera_info')
    parser.add_argument('--max-depth', type=float, default=float('inf'), help='metres')
    add_set(parser, SETTINGS)
    parser.add_argument('--topics', type=topic_list, default=(),
                        help="names of the node's topics, with commas (default: depth/image or "
                        'depth/relative, depth/camera_info, depth/points, depth/preview)')
    parser.add_argument('--namespace', default='', help='written before the names of --topics')
    parser.add_argument('--copy-input', action='store_true',
                        help='put all of INPUT into the new bag, too')
    parser.add_argument('--overwrite', action='store_true', help='replace a bag at OUTPUT')


def topic_list(text: str) -> tuple[str, ...]:
    """Return the names in a list with commas."""
    return tuple(item.strip().strip('/') for item in text.split(',') if item.strip())


def run(arguments: argparse.Namespace) -> int:
    """Convert the bag and say what became of it."""
    from depth_anything_ros.bags.outputs import check_known
    from depth_anything_ros.bags.reading import InputBag
    from depth_anything_ros.bags.topics import (
        choose_image_topic,
        choose_info_topic,
        namespace_of,
    )
    from depth_anything_ros.bags.writing import check_place

    # All that can be refused without the model comes first: loading one takes a while.
    check_known(arguments.topics)
    namespace_of(arguments.namespace)
    with InputBag(arguments.input) as source:
        image = choose_image_topic(source.topics, arguments.image_topic)
        info = choose_info_topic(source.topics, image, arguments.camera_info_topic)
        check_place(arguments.output, arguments.input, overwrite=arguments.overwrite)
        return convert(arguments, source, image, info, frame_options(arguments))


def frame_options(arguments: argparse.Namespace) -> FrameOptions:
    """
    Return what is asked of every frame, without the outputs.

    :raises DepthAnythingError: when an option cannot be meant.
    """
    settings = settings_given(
        Settings(), arguments.given,
        lambda name: name.startswith(SETTINGS) and name not in OF_THE_NODE)
    options = options_of(settings, frozenset())
    limited = any(text.startswith('depth.maximum=') for text in arguments.given)
    return replace(
        options, focal_length=arguments.focal, fov_deg=arguments.fov,
        maximum=options.maximum if limited else arguments.max_depth)


def convert(
    arguments: argparse.Namespace, source: InputBag, image: Topic, info: Topic | None,
    options: FrameOptions,
) -> int:
    """Load the model, run the bag through it, and print the summary."""
    from depth_anything_ros.bags.conversion import Conversion, WINDOW
    from depth_anything_ros.bags.outputs import asked_for, types_of
    from depth_anything_ros.bags.writing import make_place, OutputBag
    from depth_anything_ros.core.image_encodings import to_rgb
    from depth_anything_ros.service import DepthService, load_engine

    model = ModelSettings(
        name=arguments.model, device=arguments.device, download=arguments.download)
    service = DepthService(load_engine(Settings(model=model)), queue_size=WINDOW)
    try:
        plan = plan_of(arguments, source, image, info, service.info)
        options = replace(options, outputs=asked_for(plan.outputs))
        introduce(plan, service.info)
        make_place(arguments.output)
        topics = types_of(plan.outputs, plan.namespace)
        progress = Progress(sys.stderr, image.count)
        with OutputBag(arguments.output, source.storage, topics) as target:
            conversion = Conversion(
                source, target, service, plan, options, to_rgb,
                say=lambda text: progress.say(f'note: {text}'),
                progress=lambda now: progress.update(now.written + now.failed, now.failed))
            try:
                summary = conversion.run()
            finally:
                progress.close()
    finally:
        service.close()
    report(arguments.output, summary)
    return exit_code(summary)


def plan_of(
    arguments: argparse.Namespace, source: InputBag, image: Topic, info: Topic | None,
    engine: EngineInfo,
) -> Plan:
    """
    Return what is read and written with this model.

    :raises ConfigError: when the model cannot do what is asked, or names clash.
    """
    from depth_anything_ros.bags.conversion import Plan
    from depth_anything_ros.bags.copying import check_names
    from depth_anything_ros.bags.frames import NO_FOCAL
    from depth_anything_ros.bags.outputs import choose_outputs
    from depth_anything_ros.bags.topics import listed, namespace_of

    namespace = namespace_of(arguments.namespace)
    outputs = choose_outputs(arguments.topics, engine)
    if arguments.copy_input:
        check_names(source, {f'{namespace}/{name}' for name in outputs})
    given = arguments.focal or arguments.fov or engine.predicts_intrinsics
    needs_camera = engine.kind is DepthKind.CANONICAL and not given
    if needs_camera and info is None:
        raise ConfigError(
            f'no camera_info belongs to {image.name}; {NO_FOCAL}. Topics of the bag:'
            f'{listed(source.topics)}')
    return Plan(
        image=image.name, info=None if info is None else info.name, outputs=outputs,
        namespace=namespace, copy_input=arguments.copy_input, needs_camera=needs_camera)


def introduce(plan: Plan, engine: EngineInfo) -> None:
    """Print what is about to be done."""
    print(f'model       {engine.model} on {engine.device}, {engine.precision}; '
          f'licence of the weights: {engine.licence}')
    for warning in engine.warnings:
        print(f'warning     {warning}')
    print(f'images      {plan.image}')
    print(f'camera_info {plan.info or "none"}', flush=True)


def report(output: Path, summary: Summary) -> None:
    """Print what became of the images."""
    rate = summary.written / summary.elapsed if summary.elapsed else 0.0
    factor = summary.recorded / summary.elapsed if summary.elapsed else 0.0
    print(f'scale law   {summary.scale_law or "unknown: no image came through"}')
    print(f'frames      {summary.read} in, {summary.written} out, {summary.failed} failed; '
          f'{summary.exact} with a camera_info of their own stamp')
    for code, count in summary.reasons.most_common():
        print(f'failed      {count} x {code}: {summary.examples[code]}')
    print(f'time        {summary.elapsed:.1f} s for {summary.recorded:.1f} s of recording: '
          f'{rate:.1f} frames/s, {factor:.2f} x real time')
    for topic, count in summary.messages.items():
        print(f'wrote       {topic}  {count} messages')
    print(f'wrote       {output}')
    if summary.stopped:
        print(f'not the whole bag: {summary.stopped}', file=sys.stderr)


def exit_code(summary: Summary) -> int:
    """Return 0 when the whole bag was read and images came out, 130 after Ctrl-C, else 1."""
    if summary.stopped == 'interrupted':
        return 130
    return 0 if summary.written and not summary.stopped else 1
