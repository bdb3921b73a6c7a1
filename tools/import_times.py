"""How long importing what the program needs takes: processor time of cold processes, less that of a bare interpreter.

Usage: import_times.py — prints a line a package, and one for what every command may load.
"""

import resource
import statistics
import subprocess
import sys

RUNS = 41
MODULES = (
    "cel_expr_python.cel", "click", "immutables", "jsonschema_rs", "msgspec", "yaml", "rfc8785", "rich.table",
)  # fmt: skip
TOGETHER = "click, immutables, msgspec, rfc8785, sqlite3, yaml"


def milliseconds(code: str) -> float:
    """Return the median processor time of an interpreter that runs `code`."""
    return statistics.median(_once(code) for _ in range(RUNS))


def main() -> int:
    """Print the times."""
    bare = milliseconds("pass")
    print(f"{'bare interpreter':24} {bare:5.0f} ms")
    for module in MODULES:
        print(f"{module:24} {milliseconds(f'import {module}') - bare:5.0f} ms")
    print(f"{TOGETHER}: {milliseconds(f'import {TOGETHER}') - bare:.0f} ms")
    return 0


def _once(code: str) -> float:
    before = _used()
    subprocess.run([sys.executable, "-I", "-c", code], check=True)
    return (_used() - before) * 1000


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
