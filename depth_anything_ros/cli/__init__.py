"""The ``depth-anything`` command: one verb, one file, one line in ``main.VERBS``."""
