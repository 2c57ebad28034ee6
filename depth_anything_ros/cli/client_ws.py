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

"""``depth-anything client ws``: images or a video to a server, a model (.glb) back."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
import sys

from depth_anything_ros.bridges.access import KEY_VARIABLE
from depth_anything_ros.errors import ConfigError

HELP = 'Send images or frames of a video to a reconstruction session and write its model.'

BASE_URL = 'http://localhost:8000'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of the seed's client (rule W16)."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument('--images', type=Path, nargs='+', metavar='FILE',
                        help='pictures (JPEG, PNG, WebP), in order')
    source.add_argument('--video', type=Path, metavar='FILE',
                        help='the sharpest frames from different viewpoints are taken')
    parser.add_argument('--num-frames', type=int, default=10, metavar='N',
                        help='frames of the video (default: %(default)s)')
    parser.add_argument('--output', type=Path, default=Path('output.glb'), metavar='GLB',
                        help='where the model goes (default: %(default)s)')
    parser.add_argument('--incremental', action='store_true',
                        help='a model after each image, as OUTPUT_intermediate_N.glb')
    parser.add_argument('--base-url', default=BASE_URL, metavar='URL',
                        help='where the server is (default: %(default)s)')
    parser.add_argument('--max-images', type=int, default=100, metavar='N',
                        help='images of the session (default: %(default)s)')
    parser.add_argument('--delete-session', action='store_true',
                        help='delete the session on the server afterwards')


def run(arguments: argparse.Namespace) -> int:
    """Send, wait, write, and say what was done."""
    from depth_anything_ros.clients.websocket import ReconstructionClient
    output: Path = arguments.output
    if not output.parent.is_dir():
        raise ConfigError(f'no such folder: {output.parent}')
    images = views_of(arguments)
    with ReconstructionClient(
            arguments.base_url, api_key=os.environ.get(KEY_VARIABLE, ''),
            delete=arguments.delete_session, max_images=arguments.max_images) as client:
        print(f'session     {client.session_id}')
        bar = Bar()
        for index, (name, data) in enumerate(images, start=1):
            client.add(data, name)
            bar.show(index / len(images), f'sent {name}')
            if arguments.incremental and index < len(images):
                model = client.generate(incremental=True, progress=bar.show)
                path = output.with_name(
                    f'{output.stem}_intermediate_{model.image_count}{output.suffix}')
                path.write_bytes(model.glb)
                bar.say(f'wrote       {path}')
        # A server answers an incremental request with one delta alone: this asks for the end.
        model = client.finalize(progress=bar.show)
        bar.close()
    output.write_bytes(model.glb)
    metadata = model.metadata
    unit = metadata.get('unit')
    print(f'images      {model.image_count}')
    if 'num_points' in metadata:
        print(f'points      {metadata["num_points"]}, '
              f'{"in metres" if unit == "m" else "in no known unit"}')
    for note in metadata.get('notes', ()):
        print(f'note        {note}')
    print(f'wrote       {output} ({len(model.glb)} bytes)')
    return 0


def views_of(arguments: argparse.Namespace) -> list[tuple[str, bytes]]:
    """
    Return the images to send, with names.

    :raises ConfigError: when one cannot be read.
    """
    if arguments.video is not None:
        from depth_anything_ros.cli.video_views import video_views
        return video_views(arguments.video, arguments.num_frames)
    try:
        return [(path.name, path.read_bytes()) for path in arguments.images]
    except OSError as error:
        raise ConfigError(f'cannot read {error.filename}: {error.strerror}') from None


class Bar:
    """A bar on the terminal; elsewhere nothing."""

    WIDTH = 24

    def __init__(self) -> None:
        """Begin with nothing shown."""
        self._terminal = sys.stderr.isatty()

    def show(self, share: float, text: str) -> None:
        """Show how much is done, 0 to 1."""
        if self._terminal:
            full = round(share * self.WIDTH)
            sys.stderr.write(
                f'\r\x1b[K[{"#" * full}{"." * (self.WIDTH - full)}] {share:4.0%} {text}')
            sys.stderr.flush()

    def say(self, text: str) -> None:
        """Write a line of its own."""
        self.close()
        print(text)

    def close(self) -> None:
        """Erase the bar."""
        if self._terminal:
            sys.stderr.write('\r\x1b[K')
            sys.stderr.flush()
