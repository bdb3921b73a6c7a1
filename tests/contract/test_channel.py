"""The sockets by which a workspace's processes wake each other."""

import shutil
from contextlib import closing
from pathlib import Path

from punchlist.runtime.channel import ENGINE, Channel, drain


def test_who_pokes_an_engine_that_was_killed_leaves_the_socket_to_the_next_one(tmp_path: Path) -> None:
    channel = Channel(tmp_path)
    channel.listen_as_engine().close()

    channel.tell_engine()  # nobody listens; between that and a removal the next engine could have begun to

    assert (tmp_path / ENGINE).exists()


def test_an_engine_that_follows_a_killed_one_hears(tmp_path: Path) -> None:
    channel = Channel(tmp_path)
    channel.listen_as_engine().close()
    listening = channel.listen_as_engine()

    channel.tell_engine()

    assert listening.recv(16)
    drain(listening)
    listening.close()


def test_the_socket_of_a_killed_watcher_is_removed_by_who_tells_it(tmp_path: Path) -> None:
    channel = Channel(tmp_path)
    with channel.watch("gone"):
        pass
    (tmp_path / "gone").touch()

    channel.announce()

    assert not (tmp_path / "gone").exists()


def test_who_pokes_an_engine_knows_whether_one_listens(tmp_path: Path) -> None:
    channel = Channel(tmp_path / "removed")
    with closing(channel.listen_as_engine()):
        assert channel.tell_engine()

    assert not channel.tell_engine()  # killed: its socket is there still
    shutil.rmtree(tmp_path / "removed")
    assert not channel.tell_engine()
