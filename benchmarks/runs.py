"""What durable nodes cost beside the same processes started by other programs, alternating in one run."""

import contextlib
import functools
import itertools
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from benchmarks.workspace import Bench, timed

ROUNDS = 5
NODES = 1_000
MANY = 10_000
_FEW_ROUNDS = 2
"""Rounds of what takes many seconds each."""
PEERS = Path(__file__).parent / "peers"
PEER_PROGRAMS = Path(__file__).parent.parent / ".cache" / "peers" / "bin"
"""Where `make bench` installs the programs that are measured beside this one."""
_SECOND = 1000.0
_WAITS = 6
"""The exit code of a command that waits for a decision."""


class Compared(NamedTuple):
    """One thing that was measured beside another: medians in milliseconds, or what `unit` says, and their ratio.

    `limit` is the most that the ratio may be; without anything `beside` it is the most that the measure may be.
    """

    name: str
    measured: float
    beside: str = ""
    other: float | None = None
    limit: float | None = None
    unit: str = "ms"

    @property
    def ratio(self) -> float | None:
        """How many times the other the measure is; None when there is no other."""
        return self.measured / self.other if self.other else None

    @property
    def passed(self) -> bool:
        """Say whether the limit is passed."""
        compared = self.measured if self.ratio is None else self.ratio
        return self.limit is not None and compared > self.limit


def comparing(bench: Bench) -> Iterator[Compared]:
    """Measure a thousand nodes of a shell that does nothing, all at liberty and one after the other."""
    bench.call("engine", "start")
    wide = _alternating(
        {
            **_wide_peers(bench),
            "punchlist": lambda: _run(bench, _wide(bench, NODES)),
            "expressions": lambda: _run(bench, _computed(bench, NODES)),
            "xargs": lambda: _shell(bench, f"seq {NODES} | xargs -P2 -I{{}} sh -c 'true >out/{{}} 2>err/{{}}'"),
            "make": lambda: _shell(bench, f"make -s -j2 -f {_makefile(bench, NODES)}"),
        }
    )
    name = f"{NODES:,} shell nodes, 2 at a time"
    yield Compared(name, wide["punchlist"], "xargs -P2", wide["xargs"], 2.0)
    yield Compared(name, wide["punchlist"], "make -j2", wide["make"])
    yield Compared(f"{name}, with an expression in each", wide["expressions"], "without", wide["punchlist"], 1.1)
    if "doit" in wide:
        yield Compared(name, wide["punchlist"], "doit -n 2", wide["doit"])
    chain = _alternating(
        {
            "punchlist": lambda: _run(bench, _chain(bench, NODES)),
            "shell": lambda: _shell(bench, f'for i in $(seq {NODES}); do sh -c "true >out/$i 2>err/$i"; done'),
        }
    )
    yield Compared(f"{NODES:,} shell nodes in a chain", chain["punchlist"], "a shell's loop", chain["shell"], 2.0)
    peers = _alternating(_chain_peers(bench), rounds=_FEW_ROUNDS)
    for peer, took in peers.items():
        yield Compared(f"{NODES:,} shell nodes in a chain", chain["punchlist"], peer, took)
    yield from _answering(bench)
    yield from _grown(bench, MANY, one=wide["punchlist"] / NODES)
    yield from _idle(bench)


def scaling(bench: Bench, *, nodes: int) -> Iterator[Compared]:
    """Measure a run of very many nodes: its time and memory a node, and how soon a new engine goes on half-way."""
    bench.call("engine", "start")
    one = statistics.median(timed(lambda: _run(bench, _wide(bench, NODES))) for _ in range(3)) / NODES
    yield from _grown(bench, nodes, one=one)
    yield _continued(bench, nodes)


def _wide_peers(bench: Bench) -> dict[str, Callable[[], None]]:
    """Return what does the same as a run at liberty, of the programs in PEERS that are there."""
    dodo, doit = PEERS / "dodo.py", PEER_PROGRAMS / "doit"
    line = f"NODES={NODES} {doit} -n 2 -f {dodo} --dir . --db-file kept"
    return {"doit": lambda: _shell(bench, line)} if doit.exists() else {}


def _chain_peers(bench: Bench) -> dict[str, Callable[[], None]]:
    """Return what does the same as a run in a chain: durable steps of the libraries that are there."""
    python = PEER_PROGRAMS / "python"
    scripts = {"LangGraph, SQLite": PEERS / "in_langgraph.py", "DBOS, SQLite": PEERS / "in_dbos.py"}
    if not python.exists():
        return {}
    return {
        name: functools.partial(_shell, bench, f"{python} {script} {NODES} kept.db") for name, script in scripts.items()
    }


def _alternating(works: Mapping[str, Callable[[], None]], *, rounds: int = ROUNDS) -> dict[str, float]:
    """Return the median milliseconds of each work, all of them in turn, after a round that is not counted."""
    measured: dict[str, list[float]] = {name: [] for name in works}
    for round_, (name, work) in itertools.product(range(rounds + 1), works.items()):
        took = timed(work)
        if round_:
            measured[name].append(took)
    return {name: statistics.median(each) for name, each in measured.items()}


def _grown(bench: Bench, nodes: int, *, one: float) -> Iterator[Compared]:
    before = _resident(bench)
    took = timed(lambda: _run(bench, _wide(bench, nodes))) / nodes
    name = f"a node of {nodes:,}, 2 at a time"
    yield Compared(name, took, f"a node of {NODES:,}", one, 1.3)
    yield Compared(f"the engine's memory for {name}", (_peak(bench) - before) / nodes, limit=2048, unit="bytes")


def _answering(bench: Bench) -> Iterator[Compared]:
    """Measure the time from what was asked for, as it is stored, to the first process that it leads to."""
    at_once = _written(bench, "at-once", nodes="  first: {run: date +%s.%N >began}\n")
    gated = _written(bench, "gated", nodes="  ask: {gate: Go on?}\n  first: {run: date +%s.%N >began}\n")
    commanded, decided = [], []
    for _ in range(ROUNDS + 1):
        commanded.append(_until_begun(bench, "run", str(at_once)))
        bench.call("run", str(gated), "--wait", ends=_WAITS)
        (gate,) = bench.answer("gates")["gates"]
        decided.append(_until_begun(bench, "decide", gate["id"], "approve"))
    yield Compared("a command to its first process", statistics.median(commanded[1:]), limit=20)
    yield Compared("a decision to its next process", statistics.median(decided[1:]), limit=20)


def _until_begun(bench: Bench, *command: str) -> float:
    """Return the milliseconds from the command's commit to what the process that it leads to takes for now."""
    began = bench.root / "began"
    began.unlink(missing_ok=True)
    bench.call(*command)
    bench.wait_quiet()
    with contextlib.closing(sqlite3.connect(bench.root / ".punchlist" / "state.db")) as store:
        (at,) = store.execute("select at from inbox order by number desc limit 1").fetchone()
    return (float(began.read_text(encoding="utf-8")) - datetime.fromisoformat(at).timestamp()) * _SECOND


def _continued(bench: Bench, nodes: int) -> Compared:
    """Measure how long a new engine takes to start the next node of a run that was killed when half of it was done."""
    attempts = bench.root / ".punchlist" / "attempts"
    before = _count(attempts)
    bench.call("run", str(_wide(bench, nodes)))
    while _count(attempts) < before + nodes // 2:
        time.sleep(1)
    os.kill(int(bench.answer("engine", "status")["engine"]["pid"]), signal.SIGKILL)
    half = _count(attempts)

    def goes_on() -> None:
        bench.call("engine", "start")
        while _count(attempts) <= half + 2:
            time.sleep(0.01)

    took = timed(goes_on)
    bench.wait_quiet()
    return Compared(f"a new engine to the next of {nodes:,} nodes", took, limit=3_000)


def _count(folder: Path) -> int:
    return len(os.listdir(folder))  # noqa: PTH208 - a hundred thousand paths are not made to be counted


def _idle(bench: Bench) -> Iterator[Compared]:
    """Measure an engine that has nothing to do, anew started: how often it wakes, and what it holds."""
    bench.stop_engine()
    bench.call("engine", "start")
    bench.wait_quiet()
    seconds = 60
    before = _woken(bench)
    time.sleep(seconds)
    yield Compared(f"wake-ups of an idle engine in {seconds} s", float(_woken(bench) - before), limit=0, unit="times")
    yield Compared("memory of an idle engine", _resident(bench) / 2**20, limit=60, unit="MiB")


def _run(bench: Bench, flow: Path) -> None:
    bench.call("run", str(flow), "--wait")


def _shell(bench: Bench, line: str) -> None:
    """Run a line in a folder of its own; nothing is removed, for ext4 is slow to make files where some just were."""
    here = Path(tempfile.mkdtemp(prefix="shell-", dir=bench.root))
    for name in ("out", "err"):
        (here / name).mkdir()
    subprocess.run(["sh", "-c", line], cwd=here, check=True, stdout=subprocess.DEVNULL)


def _wide(bench: Bench, count: int) -> Path:
    return _each(bench, f"wide-{count}", node='{run: "true"}', count=count)


def _computed(bench: Bench, count: int) -> Path:
    return _each(bench, f"computed-{count}", node='{run: "true ${{ item * 2 }}"}', count=count)


def _each(bench: Bench, name: str, *, node: str, count: int) -> Path:
    nodes = f"""\
  all:
    for_each: {json.dumps(list(range(count)))}
    as: item
    max_parallel: 2
    nodes:
      one: {node}
"""
    return _written(bench, name, nodes=nodes)


def _chain(bench: Bench, count: int) -> Path:
    nodes = "".join(f'  n{number}: {{run: "true"}}\n' for number in range(count))
    return _written(bench, f"chain-{count}", nodes=nodes)


def _written(bench: Bench, name: str, *, nodes: str) -> Path:
    path = bench.root / f"{name}.yaml"
    path.write_text(f"punchlist: 1\nflow: {name}\nnodes:\n{nodes}", encoding="utf-8")
    return path


def _makefile(bench: Bench, count: int) -> Path:
    path = bench.root / f"wide-{count}.mk"
    names = " ".join(f"n{number}" for number in range(count))
    path.write_text(
        f".PHONY: all {names}\nall: {names}\n{names}:\n\t@sh -c 'true >out/$@ 2>err/$@'\n", encoding="utf-8"
    )
    return path


def _status(bench: Bench) -> dict[str, str]:
    pid = bench.answer("engine", "status")["engine"]["pid"]
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _resident(bench: Bench) -> int:
    return int(_status(bench)["VmRSS"].split()[0]) * 1024


def _peak(bench: Bench) -> int:
    return int(_status(bench)["VmHWM"].split()[0]) * 1024


def _woken(bench: Bench) -> int:
    pid = bench.answer("engine", "status")["engine"]["pid"]
    tasks = Path(f"/proc/{pid}/task")
    files = [(each / "status").read_text(encoding="utf-8") for each in tasks.iterdir()]
    lines = [line for text in files for line in text.splitlines() if "ctxt_switches" in line]
    return sum(int(line.rpartition(":")[2]) for line in lines)
