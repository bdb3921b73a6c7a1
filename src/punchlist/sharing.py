"""Whether a workspace is its owner's alone, or its group's, too: which modes new files of its state get."""

import os
import stat
from pathlib import Path


def others_of(folder: Path) -> int:
    """Return the bits of a mode by which others than the owner share a folder: 0 when they do not.

    A group shares one that it may write to and that hands its group on (setgid); without that each would make files for
    a group of his own, and a personal group may write in many a folder that nobody means to share. Nor does anyone mean
    to share what he makes in a folder like that of temporary files.
    """
    try:
        mode = folder.stat().st_mode
    except OSError:
        return 0
    group = stat.S_IRWXG if mode & stat.S_ISGID and mode & stat.S_IWGRP else 0
    return group | (stat.S_IRWXO if mode & stat.S_IWOTH and not mode & stat.S_ISVTX else 0)


def file_mode(folder: Path) -> int:
    """Return the mode of a new file that only those may read who share the folder."""
    return 0o600 | others_of(folder) & 0o066


def folder_mode(folder: Path) -> int:
    """Return the mode of a new folder that only those may enter who share the folder around it."""
    return 0o700 | others_of(folder)


def share_as(around: Path, path: Path) -> None:
    """Let those share a new file or folder who share the folder around it."""
    if others := others_of(around):
        mode = path.stat().st_mode
        path.chmod(stat.S_IMODE(mode) | (others if stat.S_ISDIR(mode) else others & 0o066))


def make_for_all(folder: Path) -> None:
    """Let what this process makes from now on, and what it starts, be open to those who share the folder."""
    if others := others_of(folder):
        os.umask(os.umask(0o077) & ~others)
