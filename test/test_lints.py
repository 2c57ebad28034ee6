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

"""The linters of a ROS package: those that exist as wheels, and the checks of the others."""

from pathlib import Path
import subprocess
import sys

from headers import HEADER, missing, ROOT, with_header
import pytest

FOLDERS = ['depth_anything_ros', 'launch', 'test', 'training', 'bench', 'docs', 'setup.py']
PATHS = [str(ROOT / name) for name in FOLDERS if (ROOT / name).exists()]
XML = [path for path in (
    ROOT / 'package.xml', *sorted((ROOT / 'config').glob('*.xml')),
    *sorted((ROOT / 'launch').glob('*.xml'))) if path.is_file()]


def lint(module, paths):
    """Run a linter in its own process: it forks, which one with ROS threads must not."""
    pytest.importorskip(module)
    code = f'import sys; from {module} import main; sys.exit(main(argv=sys.argv[1:]))'
    done = subprocess.run([sys.executable, '-c', code, *paths], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


def test_ament_flake8():
    pytest.importorskip('flake8_import_order')
    lint('ament_flake8.main', PATHS)


def test_ament_pep257():
    # Tests need no docstrings.
    lint('ament_pep257.main', [path for path in PATHS if not path.endswith('/test')])


def test_every_source_has_the_licence_header():
    assert [str(path.relative_to(ROOT)) for path in missing()] == []


def test_the_header_goes_below_the_interpreter_line_and_only_once():
    program = '#!/usr/bin/env python3\nprint()\n'
    once = with_header(program)
    assert once.startswith('#!/usr/bin/env python3\n# Copyright 2026') and HEADER in once
    assert with_header(once) == once
    assert with_header('') == ''
    assert with_header('"""Text."""\n') == f'{HEADER}\n"""Text."""\n'


def test_the_licence_is_apache_2():
    text = (ROOT / 'LICENSE').read_text()
    assert 'Apache License' in text and 'Version 2.0, January 2004' in text
    assert 'END OF TERMS AND CONDITIONS' in text
    # ament_copyright asks for both files in a repository.
    assert 'Apache 2 License' in (ROOT / 'CONTRIBUTING.md').read_text()


@pytest.mark.parametrize('path', XML, ids=lambda path: path.name)
def test_xml_is_well_formed(path):
    from xml.etree import ElementTree
    ElementTree.parse(path)
    assert '\t' not in path.read_text()


def test_shell_scripts_are_strict_and_parse():
    scripts = [path for path in [*(ROOT / 'scripts').iterdir(), *(ROOT / '.ci').glob('*')]
               if path.is_file()]
    assert {'setup', 'test', 'check', 'environment', 'run'} <= {path.name for path in scripts}
    for path in scripts:
        subprocess.run(['bash', '-n', str(path)], check=True)
        if path.name != 'environment':
            text = path.read_text()
            assert text.startswith('#!/usr/bin/env bash\n'), path
            assert 'set -euo pipefail' in text, path
            assert Path(path).stat().st_mode & 0o100, f'{path} is not executable'
