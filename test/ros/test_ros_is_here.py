import pytest


def test_ros_is_here():
    pytest.importorskip('rclpy', reason='without rclpy the tests marked ros were not collected')
    from depth_anything_ros.interfaces import ros_problem
    assert ros_problem() is None
