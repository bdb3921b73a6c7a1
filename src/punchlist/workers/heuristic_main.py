"""The program behind the worker `heuristic`: reads the request, writes the plan."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from punchlist.errors import DefinitionError
from punchlist.model.parse import parse_json
from punchlist.model.results import PlanRequest
from punchlist.workers.heuristic import plan_from_markdown
from punchlist.workers.scripted import BAD_INPUT


def main(environ: Mapping[str, str]) -> int:
    """Plan what PUNCHLIST_PACK asks for into PUNCHLIST_RESULT; return the exit code."""
    try:
        request = parse_json(PlanRequest, Path(environ["PUNCHLIST_PACK"]).read_bytes(), what="the request")
        plan = plan_from_markdown(request.title, request.spec, request=request.request)
    except DefinitionError as error:
        print(error, file=sys.stderr)  # noqa: T201 - this is the program's output
        return BAD_INPUT
    Path(environ["PUNCHLIST_RESULT"]).write_bytes(msgspec.json.encode(plan))
    print(f"planned {len(plan.tasks)} task(s)")  # noqa: T201 - this is the program's output
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))  # noqa: TID251 - a program of its own
