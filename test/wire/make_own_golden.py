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
Write the golden files of our own form and of our pickled replies.

Run it by hand, and only when the format changes on purpose; then docs/wire-format.md changes too:

    python test/wire/make_own_golden.py
"""

from __future__ import annotations

from depth_anything_ros.wire.message import to_body, to_parts
from depth_anything_ros.wire.pickled import write
from depth_anything_ros.wire.results import result_message
from wire_parts import full_result, GOLDEN, pickled_reply


def main() -> None:
    """Write the files."""
    message = result_message(full_result(), 'request 7')
    (GOLDEN / 'depth_result.body').write_bytes(b''.join(to_body(message)))
    for index, part in enumerate(to_parts(message)):
        (GOLDEN / f'depth_result.part{index}').write_bytes(part)
    (GOLDEN / 'reply.pkl').write_bytes(write(pickled_reply()))


if __name__ == '__main__':
    main()
