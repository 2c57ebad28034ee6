"""The engine's heavy imports, and what to run when one of them is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from depth_anything_ros.errors import MissingDependency

if TYPE_CHECKING:
    from depth_anything_ros.engine.da3 import DA3Engine

INSTALL = {
    'depth_anything_3': 'pip install --no-deps depth-anything-3==0.1.1',
    'cv2': 'pip install opencv-python-headless',
}
"""Commands for modules that are not installed by their own name."""


def import_engine() -> type[DA3Engine]:
    """
    Return the class of the DA3 engine; PyTorch is imported now and not earlier.

    :raises MissingDependency: when a package is not installed, with the command that helps.
    """
    try:
        from depth_anything_ros.engine.da3 import DA3Engine
    except ModuleNotFoundError as error:
        raise missing(error) from error
    return DA3Engine


def missing(error: ModuleNotFoundError) -> MissingDependency:
    """Return our error for a module that could not be imported, with the command that helps."""
    name = (error.name or '').partition('.')[0]
    if name == 'depth_anything_ros':
        raise error
    command = INSTALL.get(name, f'pip install {name}')
    return MissingDependency(
        f'Depth Anything 3 needs the Python module {name!r}, which is not installed; run: '
        f'{command}')
