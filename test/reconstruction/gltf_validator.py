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

"""The Khronos glTF validator, from the npm registry: a test's opinion that is not ours."""

from __future__ import annotations

import json
import os
from pathlib import Path
import shutil
import subprocess
import tempfile
from typing import Any

import pytest

VERSION = '2.0.0-dev.3.10'
SCRIPT = """
const validator = require('gltf-validator'), fs = require('fs');
validator.validateBytes(new Uint8Array(fs.readFileSync(process.argv[1])), {writeTimestamp: false})
  .then(report => console.log(JSON.stringify(report)));
"""


def folder() -> Path:
    """Return where the validator is, installing it once for all runs on this machine."""
    cache = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache')
    place = cache / 'depth_anything_ros' / f'gltf-validator-{VERSION}'
    if not (place / 'node_modules' / 'gltf-validator').is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=place.parent))
        try:
            subprocess.run(
                ['npm', 'install', '--no-audit', '--no-fund', '--silent',
                 f'gltf-validator@{VERSION}'],
                cwd=fresh, check=True, timeout=180, capture_output=True)
            # Another run may have been quicker.
            if not place.exists():
                fresh.rename(place)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return place


def report(glb: bytes) -> dict[str, Any]:
    """Return the validator's report on a file; skip where it cannot be had (never in CI)."""
    required = os.environ.get('CI', '') not in ('', '0', 'false')
    if not required and not (shutil.which('node') and shutil.which('npm')):
        pytest.skip('no node and npm for the glTF validator')
    try:
        place = folder()
    except (subprocess.SubprocessError, OSError) as error:
        if required:
            raise
        pytest.skip(f'the glTF validator cannot be installed: {error}')
    with tempfile.NamedTemporaryFile(suffix='.glb') as file:
        file.write(glb)
        file.flush()
        done = subprocess.run(
            ['node', '-e', SCRIPT, file.name], cwd=place, check=True, timeout=120,
            capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found
