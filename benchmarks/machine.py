"""What a figure was measured on, and how busy that was."""

import os
import platform
import sqlite3
from pathlib import Path


def facts() -> dict[str, object]:
    """Return the machine's size, versions and load, for the page and the JSON."""
    one, five, fifteen = os.getloadavg()
    return {
        "cpus": os.cpu_count(),
        "model": _model(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load": [round(each, 2) for each in (one, five, fifteen)],
    }


def _model() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
