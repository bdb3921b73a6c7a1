"""`python -m benchmarks`: measure, print, and write the figures into benchmarks/results.json and the docs' page."""

import json
import sys
import tempfile
from pathlib import Path

from benchmarks import machine
from benchmarks.commands import TASKS, Row, measure

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "explanation" / "performance.md"
BEGIN, END = "<!-- figures: made by make bench -->", "<!-- end of figures -->"


def main() -> int:
    """Run the benchmarks; the exit code is 1 when a limit is passed."""
    before = machine.facts()
    with tempfile.TemporaryDirectory(prefix="punchlist-bench-", ignore_cleanup_errors=True) as folder:
        rows = measure(Path(folder))
    table = _table(rows, before)
    sys.stdout.write(table)
    results = {"machine": before, "tasks": TASKS, "rows": [row._asdict() for row in rows]}
    (ROOT / "benchmarks" / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    _write_page(table)
    return int(any(row.limit is not None and row.median > row.limit for row in rows))


def _table(rows: list[Row], seen: dict[str, object]) -> str:
    lines = [
        (
            f"{seen['cpus']} CPUs ({seen['model']}), {seen['memory_gib']} GiB, {seen['system']}, "
            f"Python {seen['python']}, SQLite {seen['sqlite']}; load before {seen['load']}; {TASKS:,} tasks stored."
        ),
        "",
        "| command, cold process | median ms | slowest ms | times a bare interpreter | limit ms |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        limit = "" if row.limit is None else f"{row.limit:.0f}"
        lines.append(f"| {row.name} | {row.median:.0f} | {row.slowest:.0f} | {row.ratio:.1f} | {limit} |")
    return "\n".join(lines) + "\n"


def _write_page(table: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    if BEGIN not in text:
        text = f"{text.rstrip()}\n\n## Figures\n\n{BEGIN}\n{END}\n"
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}\n{table}{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
