"""The few lines of shell around every command, and how they are started."""

import fcntl
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from punchlist.sharing import file_mode
from punchlist.workers.files import LOCK, AttemptFiles
from punchlist.workers.nonces import Nonces
from punchlist.workers.tag import NONE, tag_of

SHELL = "/bin/sh"

# Standard error of the shell itself is the file `pid`: first its pid and start time (field 22), later the name of the
# signal that killed the command, if one did. 8 is the command's standard error, 9 the lock, which the command must not
# hold. The traps keep a `kill 0` of the command from the wrapper; in the command, caught signals are at their defaults.
# The limit on file locks is the attempt's tag; shells have two names for it, and one that has neither goes without.
# 7 is a pipe with the nonces, which is read empty and closed before the command starts: they are in this shell's memory
# alone, in no argument and no environment.
SCRIPT = """\
read -r __punchlist_p _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ __punchlist_t _ </proc/self/stat
printf '%s %s\\n' "$__punchlist_p" "$__punchlist_t" >&2 || exit 125
read -r __punchlist_n __punchlist_f <&7
exec 7<&-
trap : HUP INT QUIT USR1 USR2 PIPE ALRM TERM
__punchlist_d=$1 __punchlist_w=$2
ulimit -S -w "$3" 2>/dev/null || ulimit -S -x "$3" 2>/dev/null
shift 3
(cd "$__punchlist_w" && unset OLDPWD __punchlist_n __punchlist_f && exec "$@") 2>&8 8>&- 9>&-
__punchlist_c=$?
test "$__punchlist_c" = 0 || __punchlist_n=$__punchlist_f
printf 'exit %s\\nend %s\\n' "$__punchlist_c" "$__punchlist_n" >"$__punchlist_d/exit"
exit "$__punchlist_c"
"""

_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_FREE = 10
"""The first descriptor that means nothing to the wrapper."""
_DEFAULTS = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTERM, signal.SIGXFSZ)

_children: set[int] = (
    set()
)  # this process's own wrappers, until they are collected: a fact of the process, like its pid


class Wrapper(NamedTuple):
    """A started wrapper; it stays in the process table until `collect`."""

    pid: int
    pidfd: int


def start(
    argv: Sequence[str], files: AttemptFiles, *, cwd: Path, env: Mapping[str, str], stdin: Path | None, nonces: Nonces
) -> Wrapper:
    """Start the wrapper in its own session; the lock is taken here, so that it is never seen free too early.

    Raises OSError or ValueError when nothing could be started.
    """
    mode = file_mode(files.directory.parent)
    lock = _out_of_the_way(os.open(files.at(LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode))
    told = -1
    try:
        told = _told(nonces)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        pid = os.posix_spawn(
            SHELL,
            ["sh", "-c", SCRIPT, "sh", str(files.directory), str(cwd), str(tag_of(files.io) or NONE), *argv],
            env,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, lock, 9),
                (os.POSIX_SPAWN_DUP2, told, 7),
                (os.POSIX_SPAWN_OPEN, 0, str(stdin or os.devnull), os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, files.at("stdout"), _NEW, mode),
                (os.POSIX_SPAWN_OPEN, 2, files.at("pid"), _NEW, mode),
                (os.POSIX_SPAWN_OPEN, 8, files.at("stderr"), _NEW, mode),
            ],
            setsid=True,
            setsigmask=(),
            setsigdef=_DEFAULTS,
        )
    finally:
        os.close(lock)  # the wrapper's copy holds it on
        if told >= 0:
            os.close(told)
    _children.add(pid)
    return Wrapper(pid, _pidfd(pid))


def collect(wrapper: Wrapper) -> os.waitid_result | None:
    """Take a wrapper that has ended out of the process table; None when someone else did."""
    try:
        return os.waitid(os.P_PIDFD, wrapper.pidfd, os.WEXITED)
    except ChildProcessError:
        return None
    finally:
        _children.discard(wrapper.pid)
        os.close(wrapper.pidfd)


def own_wrappers() -> frozenset[int]:
    """Return the pids of wrappers that this process has not yet collected."""
    return frozenset(_children)


def _told(nonces: Nonces) -> int:
    """Return a pipe from which the nonces can be read, once."""
    ends, begins = os.pipe()
    try:
        os.write(begins, f"{nonces.success} {nonces.failure}\n".encode())  # a pipe has room for that
    finally:
        os.close(begins)
    return _out_of_the_way(ends)


def _out_of_the_way(descriptor: int) -> int:
    """Return the descriptor with a number that the wrapper gives to nothing else."""
    if descriptor >= _FREE:
        return descriptor
    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FREE)
    finally:
        os.close(descriptor)


def _pidfd(pid: int) -> int:
    try:
        return os.pidfd_open(pid)
    except OSError:  # out of descriptors: a process that cannot be waited for must not run
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        _children.discard(pid)
        raise
