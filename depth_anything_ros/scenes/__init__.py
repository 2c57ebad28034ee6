"""Ray-cast rooms with exact depth: the world of the demo, the tests and da3-tiny."""

from depth_anything_ros.scenes.builder import demo_rooms, make_room
from depth_anything_ros.scenes.render import render, View
from depth_anything_ros.scenes.room import Room
from depth_anything_ros.scenes.trajectory import camera_path, random_view

__all__ = ['Room', 'View', 'camera_path', 'demo_rooms', 'make_room', 'random_view', 'render']
