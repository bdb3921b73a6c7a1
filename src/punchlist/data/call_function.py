"""Calls one function with what is in `arguments.json`, and leaves what it returns, or raises, in `result.json`.

It runs in the project's own interpreter, which has nothing of Punchlist: only the standard library is imported here.
"""
# ruff: noqa: INP001, TID251 - a script of its own, beside other data, that is told by the environment where its files are

import asyncio
import importlib
import inspect
import json
import os
import sys
import traceback
from collections.abc import Awaitable, Callable
from operator import attrgetter
from pathlib import Path


def main(name: str) -> int:
    """Call the function; return the exit code. What it raises is told with where: to import, call or write it."""
    folder = Path(os.environ["PUNCHLIST_ATTEMPT_DIR"])
    sys.path[0] = ""  # modules of the folder that it runs in, not those beside this file
    arguments = json.loads((folder / "arguments.json").read_text(encoding="utf-8"))
    when = "import"
    try:
        module, _, path = name.partition(":")
        called: Callable[..., object] = attrgetter(path)(importlib.import_module(module))
        when = "call"
        returned = called(**arguments)
        if inspect.isawaitable(returned):
            returned = asyncio.run(_awaited(returned))
        when = "return"
        text = json.dumps({"returned": returned}, allow_nan=False)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        traceback.print_exc()
        text = json.dumps({"raised": {"type": type(error).__name__, "message": str(error), "when": when}})
    (folder / "result.json").write_text(text, encoding="utf-8")
    return 0 if text.startswith('{"returned"') else 1


async def _awaited(returned: Awaitable[object]) -> object:
    return await returned


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
