"""How much one message may hold: every limit is checked before memory is taken."""

from __future__ import annotations

from dataclasses import dataclass, fields

from depth_anything_ros.errors import ConfigError


@dataclass(frozen=True)
class Limits:
    """
    Bounds of one message.

    ``message_bytes`` is the length of the whole message; ``pixels`` the width times height of one
    image; ``operations``, ``depth`` and ``nodes`` bound the work, the nesting and the number of
    values of a pickle once all sharing is unfolded; ``text_bytes`` all text of a message
    together; ``entries`` the keys of one dict; ``header_bytes`` and ``arrays`` the header and the
    number of arrays of our own form.
    """

    message_bytes: int = 64 * 2**20
    pixels: int = 50_000_000
    operations: int = 5_000
    depth: int = 16
    nodes: int = 10_000
    text_bytes: int = 2**20
    entries: int = 1_000
    header_bytes: int = 64 * 2**10
    arrays: int = 64

    def __post_init__(self) -> None:
        """Refuse a limit that lets nothing through."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value < 1:
                raise ConfigError(f'limit {field.name} must be at least 1, seen {value}')


DEFAULT_LIMITS = Limits()
