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

"""
The licence header that every source file starts with; ``--fix`` adds it where it is missing.

The text is the one that ament_copyright knows for Apache-2.0.
"""

from __future__ import annotations

from pathlib import Path
import sys

ROOT = Path(__file__).resolve().parents[1]

HEADER = """\
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
"""

FOLDERS = ('depth_anything_ros', 'bench', 'docs', 'launch', 'scripts', 'test', 'training')


def sources() -> list[Path]:
    """Return every Python source of the project, programs without a suffix included."""
    found = [ROOT / 'setup.py']
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob('*')):
            if path.suffix == '.py' or (path.is_file() and is_program(path)):
                found.append(path)
    return [path for path in found if path.is_file() and '__pycache__' not in path.parts]


def is_program(path: Path) -> bool:
    """Return whether a file without a suffix is run by Python."""
    if path.suffix:
        return False
    with path.open('rb') as file:
        return file.readline().startswith(b'#!/usr/bin/env python3')


def has_header(text: str) -> bool:
    """Return whether a source starts with the header, below a ``#!`` line where it has one."""
    return without_interpreter(text)[1].startswith(HEADER)


def without_interpreter(text: str) -> tuple[str, str]:
    """Split off the ``#!`` line."""
    if not text.startswith('#!'):
        return '', text
    first, _, rest = text.partition('\n')
    return first + '\n', rest


def with_header(text: str) -> str:
    """Return the source with the header."""
    if has_header(text) or not text.strip():
        return text
    interpreter, rest = without_interpreter(text)
    return f'{interpreter}{HEADER}\n{rest}'


def missing() -> list[Path]:
    """Return the sources that have no header; empty files need none."""
    texts = ((path, path.read_text(encoding='utf-8')) for path in sources())
    return [path for path, text in texts if text.strip() and not has_header(text)]


def main() -> int:
    """Add what is missing with ``--fix``, otherwise list it."""
    without = missing()
    for path in without:
        print(path.relative_to(ROOT))
        if '--fix' in sys.argv[1:]:
            path.write_text(with_header(path.read_text(encoding='utf-8')), encoding='utf-8')
    if '--fix' in sys.argv[1:]:
        return 0
    return 1 if without else 0


if __name__ == '__main__':
    raise SystemExit(main())
