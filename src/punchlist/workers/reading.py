"""Small files read at the price of the reading: a path object and a buffer cost more than /proc takes to answer."""

import os
import stat

_CHUNK = 1 << 16


def read_whole(path: str) -> bytes:
    """Return what a file holds, of /proc for one, which tells no sizes; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        found = os.read(descriptor, _CHUNK)
        last = found
        while last:
            last = os.read(descriptor, _CHUNK)
            found += last
    finally:
        os.close(descriptor)
    return found


def read_regular(path: str | os.PathLike[str], *, limit: int) -> bytes | None:
    """Return at most `limit` bytes of a regular file; None for a link, a pipe, a device, a folder, or nothing."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        found = os.fstat(descriptor)
        return os.read(descriptor, min(limit, found.st_size)) if stat.S_ISREG(found.st_mode) else None
    finally:
        os.close(descriptor)
