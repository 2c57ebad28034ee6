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

"""Images that clients collect for a reconstruction: kept in private files, bounded, forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
import shutil
import tempfile
import threading
import time
from typing import Callable
import uuid

from depth_anything_ros.errors import Busy, ConfigError, LimitExceeded, SessionNotFound
from depth_anything_ros.reconstruction.options import SceneOptions

IMAGE_NAME = 'image_%04d.png'
"""What an image is called whose sender gave it no name, counted from 0 (rule W8's table)."""


class SessionStatus(str, Enum):
    """What a session does (rule W5)."""

    ACTIVE = 'active'
    PROCESSING = 'processing'
    COMPLETED = 'completed'
    ERROR = 'error'


@dataclass(frozen=True)
class SessionLimits:
    """
    How much may be kept (rule W6).

    At most ``sessions`` at once, each with up to ``images`` images that have ``total_bytes``
    encoded and ``total_pixels`` decoded together. A session that nobody has used for ``idle_s``
    seconds is removed. Where all places are taken, one that is not connected and has been quiet
    for ``spare_s`` seconds makes room for a new one. ``points`` is how many a model has at most
    where the client says nothing. A socket may send ``images_per_s``; more wait for their turn.
    """

    sessions: int = 100
    images: int = 100
    total_bytes: int = 512 * 2**20
    total_pixels: int = 400_000_000
    idle_s: float = 3600.0
    sweep_s: float = 300.0
    spare_s: float = 60.0
    points: int = SceneOptions.num_max_points
    images_per_s: float = 30.0

    def __post_init__(self) -> None:
        """Refuse a limit that lets nothing through."""
        for name, value in vars(self).items():
            if not value > 0:
                raise ConfigError(f'session limit {name} must be positive, seen {value}')


@dataclass(frozen=True)
class StoredImage:
    """An encoded image of a session: ``name`` is for people, ``path`` is ours."""

    name: str
    path: Path
    pixels: int
    size: int


class Session:
    """
    One client's images and state; safe to use from several threads.

    ``created_at`` and ``last_activity`` are seconds since 1970.
    """

    def __init__(
        self, folder: Path, max_images: int, options: SceneOptions, limits: SessionLimits,
        clock: Callable[[], float], auto_generate_after: int = 0,
    ) -> None:
        """Begin without images; made by :meth:`SessionStore.create`."""
        self.id = str(uuid.uuid4())
        self.max_images = max_images
        self.options = options
        self.auto_generate_after = auto_generate_after
        self.created_at = self.last_activity = time.time()
        self.error_message: str | None = None
        self._limits, self._clock = limits, clock
        self._folder = folder / self.id
        self._folder.mkdir(mode=0o700)
        self._lock = threading.Lock()
        self._images: list[StoredImage] = []
        self._status = SessionStatus.ACTIVE
        self._sockets = 0
        self._gone = False
        self._touched = clock()

    @property
    def status(self) -> SessionStatus:
        """Return what the session does."""
        return self._status

    @property
    def images(self) -> tuple[StoredImage, ...]:
        """Return the images so far, in order of arrival."""
        with self._lock:
            return tuple(self._images)

    @property
    def gone(self) -> bool:
        """Return whether the session was removed."""
        return self._gone

    @property
    def sockets(self) -> int:
        """Return how many sockets are connected."""
        return self._sockets

    def touch(self) -> None:
        """Note that somebody uses the session."""
        self._touched, self.last_activity = self._clock(), time.time()

    def quiet_for(self) -> float:
        """Return the seconds since it was last used; 0 while it is connected or at work."""
        with self._lock:
            if self._sockets or self._status is SessionStatus.PROCESSING:
                return 0.0
            return self._clock() - self._touched

    def connect(self) -> None:
        """Count a socket; the session is not removed for being idle while there is one."""
        with self._lock:
            self._sockets += 1
        self.touch()

    def disconnect(self) -> None:
        """Count a socket that is gone."""
        with self._lock:
            self._sockets -= 1
        self.touch()

    def check_room(self) -> None:
        """
        Refuse a further image where there is no place for one.

        :raises SessionNotFound: when the session was removed.
        :raises LimitExceeded: when it has all the images it may have.
        :raises Busy: while it is being reconstructed.
        """
        with self._lock:
            self._check_room()

    def _check_room(self) -> None:
        if self._gone:
            raise SessionNotFound(f'Session {self.id} not found')
        if self._status is SessionStatus.PROCESSING:
            raise Busy('the session is being reconstructed; try again when that has ended')
        if len(self._images) >= self.max_images:
            raise LimitExceeded(
                f'Session has reached maximum image limit ({self.max_images})')

    def add(self, data: bytes, name: str | None, pixels: int) -> StoredImage:
        """
        Keep an image.

        :param data: the encoded image, known to be one.
        :param name: what its sender calls it; for display alone.
        :param pixels: width times height.
        :raises LimitExceeded: when the session has all that it may have.
        :raises Busy: while it is being reconstructed.
        :raises SessionNotFound: when the session was removed.
        """
        with self._lock:
            self._check_room()
            size = sum(image.size for image in self._images) + len(data)
            if size > self._limits.total_bytes:
                raise LimitExceeded(
                    f'Session would hold {size} bytes of images; accepted: at most '
                    f'{self._limits.total_bytes}')
            total = sum(image.pixels for image in self._images) + pixels
            if total > self._limits.total_pixels:
                raise LimitExceeded(
                    f'Session would hold {total} pixels; accepted: at most '
                    f'{self._limits.total_pixels}')
            index = len(self._images)
            path = self._folder / f'{index:06d}'
            path.write_bytes(data)
            image = StoredImage(
                display_name(name) or IMAGE_NAME % index, path, pixels, len(data))
            self._images.append(image)
        self.touch()
        return image

    def begin(self) -> None:
        """
        Begin to reconstruct.

        :raises Busy: when that is under way already.
        :raises SessionNotFound: when the session was removed.
        """
        with self._lock:
            if self._gone:
                raise SessionNotFound(f'Session {self.id} not found')
            if self._status is SessionStatus.PROCESSING:
                raise Busy('the session is being reconstructed already')
            self._status, self.error_message = SessionStatus.PROCESSING, None

    def end(self, status: SessionStatus, error_message: str | None = None) -> None:
        """Note how the reconstruction ended."""
        with self._lock:
            self._status, self.error_message = status, error_message
        self.touch()

    def remove(self) -> None:
        """Delete the files; nothing can be added afterwards."""
        with self._lock:
            self._gone = True
            self._images.clear()
        shutil.rmtree(self._folder, ignore_errors=True)


def display_name(name: str | None) -> str:
    """
    Return the last part of a file name without what is no text, at most 120 characters.

    :param name: anything; it is never used as a path.
    """
    last = (name or '').replace('\\', '/').rpartition('/')[2]
    shown = ''.join(letter for letter in last if letter.isprintable()).strip()[:120]
    return '' if shown in ('.', '..') else shown


class SessionStore:
    """All sessions of one server, in one private folder that is deleted at the end."""

    def __init__(
        self, limits: SessionLimits | None = None, folder: Path | None = None, *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Make an empty store.

        :param limits: how much may be kept.
        :param folder: where; default: a folder of its own below the system's for temporary files.
        :param clock: seconds that never go back.
        """
        self.limits = limits or SessionLimits()
        self._folder = Path(tempfile.mkdtemp(prefix='depth_anything_', dir=folder))
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}

    def create(
        self, options: SceneOptions, max_images: int | None = None,
        auto_generate_after: int = 0,
    ) -> Session:
        """
        Make a session.

        :param options: how its images become a scene.
        :param max_images: images that it may have; more than the store allows is cut to that.
        :param auto_generate_after: generate by itself after so many images, 0: never.
        :raises LimitExceeded: when all places are taken by sessions that are in use.
        """
        most = self.limits.images if max_images is None else min(max_images, self.limits.images)
        with self._lock:
            removed = self._make_room()
            session = Session(
                self._folder, most, options, self.limits, self._clock, auto_generate_after)
            self._sessions[session.id] = session
        if removed is not None:
            removed.remove()
        return session

    def _make_room(self) -> Session | None:
        if len(self._sessions) < self.limits.sessions:
            return None
        quietest = max(self._sessions.values(), key=Session.quiet_for)
        if quietest.quiet_for() < self.limits.spare_s:
            raise LimitExceeded(
                f'Maximum number of sessions ({self.limits.sessions}) reached; delete one, or '
                'try again later')
        return self._sessions.pop(quietest.id)

    def get(self, name: str) -> Session:
        """
        Return a session and count that as use.

        :raises SessionNotFound: when there is none of that id.
        """
        with self._lock:
            session = self._sessions.get(name)
        if session is None:
            raise SessionNotFound(f'Session {name} not found')
        session.touch()
        return session

    def has(self, name: str) -> bool:
        """Return whether there is a session of that id; no use of it."""
        with self._lock:
            return name in self._sessions

    def delete(self, name: str) -> None:
        """
        Remove a session with its files.

        :raises SessionNotFound: when there is none of that id.
        """
        with self._lock:
            session = self._sessions.pop(name, None)
        if session is None:
            raise SessionNotFound(f'Session {name} not found')
        session.remove()

    def sweep(self) -> int:
        """Remove the sessions that nobody has used for long and return how many."""
        with self._lock:
            idle = [session for session in self._sessions.values()
                    if session.quiet_for() >= self.limits.idle_s]
            for session in idle:
                del self._sessions[session.id]
        for session in idle:
            session.remove()
        return len(idle)

    def sessions(self) -> tuple[Session, ...]:
        """Return all sessions, oldest first."""
        with self._lock:
            return tuple(self._sessions.values())

    def close(self) -> None:
        """Remove everything."""
        with self._lock:
            sessions = list(self._sessions.values())
            self._sessions.clear()
        for session in sessions:
            session.remove()
        shutil.rmtree(self._folder, ignore_errors=True)
