"""The process that one command line runs in."""

import gc
import sys
from collections.abc import Sequence

_SELDOM = 100_000
"""How many objects may be made before a search for cycles: more than nearly any command makes."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (by default that of the process) and return its exit code.

    Looking for cyclic garbage while modules are loaded, and once more in all of them at the end, took a quarter of a
    command's time and freed nothing that the end of the process does not.
    """
    gc.set_threshold(_SELDOM)
    from punchlist.cli import edge
    from punchlist.cli.program import punchlist

    code = edge.run(punchlist, sys.argv[1:] if arguments is None else arguments)
    gc.freeze()
    return code
