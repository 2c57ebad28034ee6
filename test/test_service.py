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

"""The settings of a service change what it does: da3-tiny itself, on the CPU."""

from depth_anything_ros.core.frame import Frame
from depth_anything_ros.core.options import FrameOptions
from depth_anything_ros.errors import Busy
from depth_anything_ros.service import open_service
from depth_anything_ros.settings import changed, Settings
import numpy as np
import pytest

PATIENCE_S = 60.0


def test_batches_the_window_and_the_queue_come_from_the_settings():
    service = open_service(changed(Settings(), {
        'model.name': 'da3-tiny', 'model.device': 'cpu', 'model.queue_size': 2,
        'model.max_batch': 2, 'model.batch_window': 1000.0}))
    options = FrameOptions(fov_deg=60.0, process_res=140)
    images = [np.full((60, 80, 3), value, np.uint8) for value in (50, 200)]
    waiting = [service.submit(lambda rgb=rgb: Frame(rgb), options) for rgb in images]
    with pytest.raises(Busy, match='2 requests'):
        service.submit(lambda: Frame(images[0]), options)
    for rgb, item in zip(images, waiting):
        assert item.result(PATIENCE_S).frame.rgb is rgb
    assert service.statistics().batches == {2: 1}
    service.close()
