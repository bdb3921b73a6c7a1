"""The engine's lock: one engine holds it, and whoever only asks for it never keeps one from it."""

import os
import select
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from punchlist.runtime.lock import EngineLock, Holder

HOLDER = Holder(pid=1, since="2026-11-21T00:00:00Z", version="1")


def test_only_one_engine_holds_the_lock(tmp_path: Path) -> None:
    first, second = EngineLock(tmp_path / "lock"), EngineLock(tmp_path / "lock")

    assert first.take(HOLDER)
    assert not second.take(HOLDER)

    first.release()
    assert second.take(HOLDER)


def test_a_lock_is_held_although_its_file_was_removed_and_the_file_says_so_again(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = EngineLock(path)
    first.take(HOLDER)
    path.unlink()

    taken = EngineLock(path).take(Holder(pid=2, since="2026-11-22T00:00:00Z", version="1"))
    unnamed = EngineLock(path).status()
    first.say_who()

    assert not taken
    assert (unnamed.running, unnamed.pid) == (True, None)
    assert EngineLock(path).status().pid == HOLDER.pid


def test_a_file_that_another_process_put_in_its_place_is_replaced_in_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = EngineLock(path)
    first.take(HOLDER)
    path.unlink()
    path.write_text('{"pid": 7, "since": "never", "version": "0"}', encoding="utf-8")

    first.say_who()

    assert EngineLock(path).status().pid == HOLDER.pid


def test_who_asks_for_the_lock_is_not_taken_for_an_engine(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()

    with _asking(path):
        taken = [_take(path) for _ in range(300)]

    assert all(taken)


def test_what_a_killed_engine_was_starting_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    killed, begun = os.pipe(), os.pipe()
    engine = os.fork()
    if not engine:  # it takes the lock, and is killed when what it starts has a copy of that
        EngineLock(path).take(Holder(pid=os.getpid(), since="2026-11-21T00:00:00Z", version="1"))
        os.close(killed[1])
        if not os.fork():
            os.write(begun[1], b"!")
            os.read(killed[0], 1)
            select.select((), (), (), 0.1)
            os._exit(0)
        signal.pause()
    os.close(killed[0])
    os.read(begun[0], 1)
    free = EngineLock(path).is_free()
    os.kill(engine, signal.SIGKILL)
    os.waitpid(engine, 0)
    os.close(killed[1])

    taken = EngineLock(path).take(HOLDER)

    assert (free, taken) == (False, True)
    for end in begun:
        os.close(end)


def _take(path: Path) -> bool:
    lock = EngineLock(path)
    taken = lock.take(HOLDER)
    lock.release()
    return taken


@contextmanager
def _asking(path: Path) -> Generator[None]:
    """Ask for the lock all the time, as many a `status` at once would."""
    enough = threading.Event()

    def ask() -> None:
        while not enough.is_set():
            EngineLock(path).is_free()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        enough.set()
        asking.join()


def test_what_the_file_says_is_never_half_of_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = EngineLock(path)
    lock.take(HOLDER)
    lock.release()
    found: set[bytes] = set()

    def look() -> None:
        while not over.is_set():
            found.add(path.read_bytes().strip())

    over = threading.Event()
    looking = threading.Thread(target=look)
    looking.start()
    for pid in range(2000, 2300):
        lock.take(Holder(pid=pid, since="2026-11-21T00:00:00.000000Z", version="1.0.0"))
        lock.release()
    over.set()
    looking.join()

    assert all(said.startswith(b"{") and said.endswith(b"}") for said in found)
