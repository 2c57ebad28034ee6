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

"""The model hub: what its local cache holds, and fetching what it does not."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from depth_anything_ros.errors import MissingDependency, ModelLoadFailed

logger = logging.getLogger(__name__)


def cache_directory() -> Path:
    """Return the hub's cache directory, where its own library keeps it."""
    if os.environ.get('HF_HUB_CACHE'):
        return Path(os.environ['HF_HUB_CACHE']).expanduser()
    home = os.environ.get('HF_HOME')
    if home is None:
        home = os.path.join(os.environ.get('XDG_CACHE_HOME', '~/.cache'), 'huggingface')
    return Path(home).expanduser() / 'hub'


def cached(repo: str, name: str) -> Path | None:
    """
    Return a file of a repository that is in the local cache, None where it is not.

    The cache is read without the hub's library: a robot with a copied cache needs no library and
    no internet. Layout: models--OWNER--NAME/refs/main names the directory in snapshots/.

    :param repo: such as 'depth-anything/DA3-SMALL'.
    :param name: file name in it.
    """
    folder = cache_directory() / ('models--' + repo.replace('/', '--'))
    try:
        revision = (folder / 'refs' / 'main').read_text(encoding='ascii').strip()
    except (OSError, UnicodeDecodeError):
        return None
    path = folder / 'snapshots' / revision / name
    return path if path.is_file() else None


def fetch(repo: str, *names: str) -> Path:
    """
    Download files of a repository into the local cache and return the first one's path.

    :param repo: such as 'depth-anything/DA3-SMALL'.
    :param names: file names in it.
    :raises MissingDependency: when huggingface_hub is not installed.
    :raises ModelLoadFailed: when the download fails.
    """
    try:
        from huggingface_hub import hf_hub_download
    except ModuleNotFoundError as error:
        raise MissingDependency(
            'downloading weights needs huggingface_hub; install it: '
            'pip install "depth_anything_ros[hub]"') from error
    logger.info('downloading %s from %s', ', '.join(names), repo)
    try:
        paths = [Path(hf_hub_download(repo, name)) for name in names]
    except Exception as error:
        # The library raises its own, its HTTP client's and the system's errors.
        raise ModelLoadFailed(
            f'downloading {repo} failed ({type(error).__name__}: {error}); without internet, '
            f'copy {" and ".join(names)} of it into a directory and give that directory as the '
            'model') from error
    return paths[0]
