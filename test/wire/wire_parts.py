"""What several tests of the wire room need."""

from __future__ import annotations

from pathlib import Path

GOLDEN = Path(__file__).parent / 'golden'

PICKLES = sorted(GOLDEN.glob('*-p?.pkl'))
"""Real pickles of numpy and Pillow, one file per version and protocol."""
