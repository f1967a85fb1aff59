"""The file a store lives in: made private, on a local disk, written by one process at a time."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from pathlib import Path

from tieout.core.errors import StopRun

# Their locks and their fsync can't be relied on: https://www.sqlite.org/howtocorrupt.html
_REMOTE = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "fuse.sshfs", "fuse.glusterfs"}


def prepare(path: Path) -> None:
    """Makes sure the file exists, is readable by its owner only, and lies on a local disk."""
    kind = file_system(path.parent)
    if kind in _REMOTE:
        raise StopRun(
            f"the store lies on a network file system ({kind})",
            where=str(path),
            hint="put it on a local disk, or use PostgreSQL; network locks lose data",
        )
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        if os.name == "posix" and path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise StopRun(
            f"the store cannot be opened: {error.strerror}",
            where=str(path),
            hint="check that the folder exists and that this user may write to it",
        ) from error


def file_system(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """The type of the file system below `folder`, or "" where the machine doesn't tell."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    place = os.path.realpath(folder)
    for line in lines:
        words = line.split()
        if len(words) < 3:
            continue
        point = words[1].replace("\\040", " ")
        inside = place == point or place.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, words[2]
    return kind


def process() -> str:
    """This process, so that another one on this machine can tell whether it still runs."""
    pid = os.getpid()
    return f"{platform.node()}:{pid}:{_started(pid)}"


def is_running(named: str) -> bool:
    """Whether a process still runs. Of one on another machine nothing is known: it may."""
    who, _, began = named.rpartition(":")
    host, _, pid = who.rpartition(":")
    if os.name != "posix" or host != platform.node() or not pid.isdigit():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return _started(int(pid)) == began


def _started(pid: int) -> str:
    """When a process began, for its number may be given to another; "" where nobody tells."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    gone = told[:1] == ["Z"]  # dead, and not yet noticed by its parent
    return told[19] if len(told) > 19 and not gone else ""


class WriterLock:
    """An advisory lock beside the store. The system frees it when its holder dies."""

    def __init__(self, store: Path) -> None:
        self.path = store.with_name(store.name + ".lock")
        self._file: int | None = None

    @property
    def held(self) -> bool:
        return self._file is not None

    def take(self) -> None:
        """StopRun with the other's process id if another process writes to this store."""
        if self._file is not None:
            return
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(file)
        except OSError:
            os.lseek(file, 1, os.SEEK_SET)
            holder = os.read(file, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(file)
            raise StopRun(
                f"another tieout is running (pid {holder})",
                where=str(self.path),
                hint="stop it first, or use its dashboard; reading commands may run beside it",
            ) from None
        os.ftruncate(file, 0)
        os.write(file, f" {os.getpid()}\n".encode())
        self._file = file

    def release(self) -> None:
        if self._file is None:
            return
        # The file stays: removing it would let two processes lock two files of one name.
        with suppress(OSError):
            os.ftruncate(self._file, 0)
        os.close(self._file)
        self._file = None


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
