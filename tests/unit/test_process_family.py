from punchlist.workers.tree import Process, family

ENGINE, SESSION = 10, 5


def table(*processes: tuple[int, int, int]) -> dict[int, Process]:
    """Return a process table of (pid, parent, session), with an engine in it."""
    engine = Process(ENGINE, 1, SESSION, 0, ended=False)
    rows = [Process(pid, parent, session, 100, ended=False) for pid, parent, session in processes]
    return {process.pid: process for process in [engine, *rows]}


def test_descendants_belong_to_the_family() -> None:
    processes = table((20, ENGINE, 20), (21, 20, 20), (22, 21, 22), (30, ENGINE, 30))

    assert family(processes, {20}, apart=ENGINE) == {20, 21, 22}


def test_orphans_in_a_session_of_the_family_belong_to_it() -> None:
    processes = table((20, ENGINE, 20), (21, 20, 21), (22, 1, 21), (23, 22, 23), (24, 1, 23))

    assert family(processes, {20}, apart=ENGINE) == {20, 21, 22, 23, 24}


def test_a_seed_that_is_gone_is_nothing() -> None:
    assert family(table((20, ENGINE, 20)), {99}, apart=ENGINE) == set()


def test_neither_the_engine_nor_its_session_is_ever_in_the_family() -> None:
    processes = table((20, ENGINE, 20), (21, 20, SESSION), (22, 1, SESSION), (1, 0, 1))

    assert family(processes, {20, ENGINE}, apart=ENGINE) == {20, 21}
