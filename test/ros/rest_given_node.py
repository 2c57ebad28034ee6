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
The depth node with REST and a camera over DDS, as test/bridges/rest_given_server.py is without.

Prints its port as a line; answers each line on its standard input with what became of the camera's
frames and the peak of its memory, as JSON; ends with its input.
"""

import json
import sys
import threading

from depth_anything_ros.process import set_up_process
from rest_given_server import CLIENTS, memory, MESSAGE_S, QUEUE_SIZE


def main():
    from depth_anything_ros.bridges.from_settings import bridges_of
    from ros_parts import (
        camera_info,
        coded_image,
        node_here,
        plane_depth,
        Rig,
        ros_context,
        small_camera,
        wait_until,
    )
    from sensor_msgs.msg import Image

    camera = small_camera()
    image, info = coded_image(plane_depth(camera)), camera_info(camera)
    stop = threading.Event()
    seen = {'done': 0, 'failed': 0}

    def feed(rig):
        # Never two at once, so that none has to be replaced: a lost one would be our fault.
        for index in range(1, 10 ** 6):
            if stop.wait(0.01):
                return
            for message in (image, info):
                message.header.stamp.sec = index
            rig.send(image, info)
            arrived = wait_until(lambda stamp=index * 10 ** 9: rig.all_have(stamp))
            seen['done' if arrived else 'failed'] += 1
            for store in rig.got.values():
                store.clear()

    with ros_context() as context:
        rig = Rig(context, topics={'depth/image': Image})
        with node_here(
            context, companions=bridges_of, model__queue_size=QUEUE_SIZE,
            bridges__rest__enabled=True, bridges__rest__port=0,
            bridges__rest__max_clients=CLIENTS, bridges__rest__message_timeout=MESSAGE_S,
        ) as node:
            assert wait_until(lambda: node.state == 'active' and rig.connected())
            thread = threading.Thread(target=feed, args=(rig,))
            thread.start()
            print(node.addresses()['rest'].rpartition(':')[2], flush=True)
            for _ in sys.stdin:
                print(json.dumps({
                    **seen, 'dropped': sum(node.counts().dropped.values()),
                    'memory_mb': memory()}), flush=True)
            stop.set()
            thread.join()
        rig.close()


if __name__ == '__main__':
    set_up_process()
    main()
