"""`python -m benchmarks [PART]`: measure, print, and write all figures into benchmarks/results.json and the page."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import commands, engine, machine, tools
from benchmarks.workspace import Row, row, times, workspace

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "explanation" / "performance.md"
BEGIN, END = "<!-- figures: made by make bench -->", "<!-- end of figures -->"
TASKS = 10_000
FEW = 10
PARTS = ("reading", "changing", "tools", "engine")


def main(parts: Sequence[str]) -> int:
    """Run the benchmarks, or the named parts of them; the exit code is 1 when a limit is passed, 2 for an unknown part.

    Figures are kept only when all was measured.
    """
    if unknown := set(parts) - set(PARTS):
        sys.stderr.write(f"there is no part {', '.join(sorted(unknown))}; parts: {', '.join(PARTS)}\n")
        return 2
    before = machine.facts()
    with tempfile.TemporaryDirectory(prefix="punchlist-bench-", ignore_cleanup_errors=True) as folder:
        rows = list(_rows(Path(folder), parts or PARTS))
    table = _table(rows, before)
    sys.stdout.write(table)
    if not parts:
        results = {"machine": before, "tasks": TASKS, "rows": [each._asdict() for each in rows]}
        (ROOT / "benchmarks" / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
        _write_page(table)
    return int(any(each.limit is not None and each.median > each.limit for each in rows))


def _rows(folder: Path, parts: Sequence[str]) -> Iterator[Row]:
    bare = [sys.executable, "-I", "-c", "pass"]
    yield row("a bare interpreter", times(lambda: subprocess.run(bare, check=True), rounds=commands.ROUNDS))
    with workspace(folder / "many", tasks=TASKS) as bench:
        if "reading" in parts:
            yield from commands.reading(bench)
        if "changing" in parts:
            yield from commands.changing(bench)
        if "tools" in parts:
            yield from tools.answering(bench)
        if "engine" in parts:
            yield engine.checks(bench, tasks=TASKS)
    if "engine" in parts:
        with workspace(folder / "few", tasks=FEW) as bench:
            yield engine.checks(bench, tasks=FEW)
            yield from engine.steps(bench)


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


def _write_page(table: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    if BEGIN not in text:
        text = f"{text.rstrip()}\n\n## Figures\n\n{BEGIN}\n{END}\n"
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}\n{table}{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
