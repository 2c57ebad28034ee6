"""
The seed's way to start: ``python run_api_server.py --host 127.0.0.1 --port 8000 [--reload]``.

The same as ``depth-anything rest``. For ``--host 0.0.0.0`` a key in DEPTH_ANYTHING_API_KEY or
``--allow-anonymous`` is needed as well.
"""

import sys

from depth_anything_ros.bridges.rest.program import run_rest

if __name__ == '__main__':
    sys.exit(run_rest())
