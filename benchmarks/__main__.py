"""`python -m benchmarks [PART]`: measure, print, and write all figures into benchmarks/results.json and the page."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import attempt_tools, commands, engine, flows, machine, runs, tools
from benchmarks.plots import Bar, bars
from benchmarks.runs import Compared
from benchmarks.workspace import Row, row, times, workspace

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "explanation" / "performance.md"
BEGIN, END = "<!-- figures: made by make bench -->", "<!-- end of figures -->"
TASKS = 10_000
FEW = 10
STEPS = 1_000
"""Steps whose files are rendered; a task here has two."""
_PICTURES = (
    "![Commands beside their limits](performance-commands.svg)\n\n"
    "![Runs beside other programs](performance-runs.svg)\n\n"
)
PARTS = ("flows", "reading", "changing", "tools", "engine", "runs")
MORE = ("scale",)
"""Parts that take many minutes, and are measured only when they are named."""
MOST = 100_000


def main(parts: Sequence[str]) -> int:
    """Run the benchmarks, or the named parts of them; the exit code is 1 when a limit is passed, 2 for an unknown part.

    Figures are kept only when all was measured.
    """
    if unknown := set(parts) - {*PARTS, *MORE}:
        sys.stderr.write(f"there is no part {', '.join(sorted(unknown))}; parts: {', '.join((*PARTS, *MORE))}\n")
        return 2
    before = machine.facts()
    with tempfile.TemporaryDirectory(prefix="punchlist-bench-", ignore_cleanup_errors=True) as folder:
        rows = list(_rows(Path(folder), parts or PARTS))
        compared = list(_compared(Path(folder), parts or PARTS))
    table = f"{_table(rows, before)}\n{_comparison(compared)}"
    sys.stdout.write(table)
    if not parts:
        results = {
            "machine": before,
            "tasks": TASKS,
            "rows": [each._asdict() for each in rows],
            "compared": [{**each._asdict(), "ratio": each.ratio} for each in compared],
        }
        (ROOT / "benchmarks" / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
        _draw(rows, compared)
        _write_page(f"{_PICTURES}{table}")
    passed = [each.limit is not None and each.median > each.limit for each in rows]
    return int(any((*passed, *(each.passed for each in compared))))


def _rows(folder: Path, parts: Sequence[str]) -> Iterator[Row]:
    bare = [sys.executable, "-I", "-c", "pass"]
    yield row("a bare interpreter", times(lambda: subprocess.run(bare, check=True), rounds=commands.ROUNDS))
    if "flows" in parts:
        yield from flows.checking()
    if not {*parts} - {"flows", "runs", "scale"}:
        return
    with workspace(folder / "many", tasks=TASKS) as bench:
        if "reading" in parts:
            yield from commands.reading(bench)
        if "changing" in parts:
            yield from commands.changing(bench)
        if "tools" in parts:
            yield from tools.answering(bench)
            yield from attempt_tools.answering(bench)
        if "engine" in parts:
            yield engine.checks(bench, tasks=TASKS)
    if "engine" in parts:
        with workspace(folder / "few", tasks=FEW) as bench:
            yield engine.checks(bench, tasks=FEW)
            yield from engine.steps(bench)
        with workspace(folder / "rendered", tasks=STEPS // 2) as bench:
            yield engine.files(bench, count=STEPS)


def _compared(folder: Path, parts: Sequence[str]) -> Iterator[Compared]:
    if not {"tools", "runs", "scale"} & set(parts):
        return
    with workspace(folder / "runs", tasks=FEW) as bench:
        if "tools" in parts:
            yield from tools.told(bench)
        if "runs" in parts:
            yield from runs.comparing(bench)
        if "scale" in parts:
            yield from runs.scaling(bench, nodes=MOST)


def _comparison(compared: Sequence[Compared]) -> str:
    lines = ["| run | measured | beside it | ratio | limit |", "| --- | ---: | --- | ---: | ---: |"]
    for each in compared:
        beside = "" if each.other is None else f"{each.beside} {each.other:,.4g} {each.unit}"
        ratio = "" if each.ratio is None else f"{each.ratio:.2f}"
        limit = "" if each.limit is None else f"{each.limit:g}"
        lines.append(f"| {each.name} | {each.measured:,.4g} {each.unit} | {beside} | {ratio} | {limit} |")
    return "\n".join(lines) + "\n"


def _table(rows: Sequence[Row], seen: dict[str, object]) -> str:
    lines = [
        (
            f"{seen['cpus']} CPUs ({seen['model']}), {seen['memory_gib']} GiB, {seen['system']}, "
            f"Python {seen['python']}, SQLite {seen['sqlite']}; load before {seen['load']}; {TASKS:,} tasks stored."
        ),
        "",
        "| command, cold process, or `mcp`: a tool | median ms | slowest ms | times a bare interpreter | limit ms |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    bare = rows[0].median
    for each in rows:
        limit = "" if each.limit is None else f"{each.limit:.0f}"
        figures = f"{each.median:.0f} | {each.slowest:.0f} | {each.median / bare:.1f}"
        lines.append(f"| {each.name} | {figures} | {limit} |")
    return "\n".join(lines) + "\n"


def _draw(rows: Sequence[Row], compared: Sequence[Compared]) -> None:
    commands_ = [Bar(each.name, each.median, each.limit) for each in rows if ":" not in each.name and each.limit]
    (PAGE.parent / "performance-commands.svg").write_text(
        bars("A cold command, its limit in red", commands_, unit="ms"), encoding="utf-8"
    )
    beside = [each for each in compared if each.other is not None and each.unit == "ms" and "1,000 shell" in each.name]
    ours = {each.name: Bar(f"{each.name}: punchlist", each.measured) for each in beside}
    found = [
        bar
        for name, mine in ours.items()
        for bar in (mine, *(Bar(each.beside, each.other or 0, other=True) for each in beside if each.name == name))
    ]
    (PAGE.parent / "performance-runs.svg").write_text(
        bars("The same work by others", found, unit="ms"), encoding="utf-8"
    )


def _write_page(table: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    if BEGIN not in text:
        text = f"{text.rstrip()}\n\n## Figures\n\n{BEGIN}\n{END}\n"
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}\n{table}{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
