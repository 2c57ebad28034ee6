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

"""A node whose network is on another machine goes on when that machine is gone and back."""

from pathlib import Path
import sys

import pytest
from remote_parts import given_server

sys.path.insert(0, str(Path(__file__).parents[1] / 'ros'))
pytestmark = pytest.mark.ros

DEGRADED = 'degraded: no answer from the engine'
PATIENCE_S = 60.0


def test_a_server_that_is_killed_and_restarted_while_a_node_streams():
    from depth_anything_ros.service import open_service
    from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
    import numpy as np
    import ros_parts as ros
    from sensor_msgs.msg import Image
    camera = ros.small_camera(32, 24)
    depth = ros.plane_depth(camera)
    stamps, statuses = iter(range(100, 10**6)), {}

    def published(rig, stamp):
        image = ros.coded_image(depth, stamp)
        found = rig.ask(image, ros.camera_info(camera, stamp), timeout=PATIENCE_S)
        return ros.depth_from(found['depth/image'])

    def streaming(rig, condition):
        """Send images until the newest status of the node and its camera is as wanted."""
        def holds():
            stamp = next(stamps)
            rig.send(ros.coded_image(depth, stamp), ros.camera_info(camera, stamp))
            ros.wait_until(lambda: False, 0.05)
            newest = statuses[max(statuses)].status if statuses else []
            return len(newest) == 2 and all(condition(status) for status in newest)
        return ros.wait_until(holds, PATIENCE_S)

    with ros.ros_context() as context, given_server() as (port, process):
        url = f'http://127.0.0.1:{port}'
        with ros.node_here(context, service=open_service, engine__url=url,
                           diagnostic_updater__period=0.1) as node:
            rig = ros.Rig(context, topics={'depth/image': Image})
            try:
                assert ros.wait_until(
                    lambda: node.state == 'active' and rig.connected(), PATIENCE_S)
                first = published(rig, 1)
                np.testing.assert_allclose(first, depth, atol=2e-5)
                rig.got['/diagnostics'] = statuses
                rig.read('/diagnostics', DiagnosticArray)
                # It is no output that a frame is to have.
                del rig.got['/diagnostics']
                process.kill()
                process.wait()
                assert streaming(rig, lambda status: status.level == DiagnosticStatus.WARN
                                 and status.message.startswith(DEGRADED)), statuses
                values = {item.key: item.value
                          for item in statuses[max(statuses)].status[0].values}
                assert (values['model'], values['licence']) == ('given', 'none')
                assert url in values['device'] and url in values['last error']
                assert node.state == 'active' and node.counts().failed
                with given_server(port):
                    assert published(rig, 2).tobytes() == first.tobytes()
                    assert streaming(
                        rig, lambda status: 'degraded' not in status.message), statuses
                assert node.state == 'active'
            finally:
                rig.close()
