"""The clients are tested on the same real bridges as the bridges themselves."""

from pathlib import Path
import sys

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'bridges'))
