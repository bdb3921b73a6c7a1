"""For `doit`: so many tasks of a shell that does nothing as NODES says."""

import os
from collections.abc import Iterator
from typing import Any


def task_node() -> Iterator[dict[str, Any]]:
    """Yield the tasks; each is done anew as long as its target is not there."""
    for index in range(int(os.environ["NODES"])):
        yield {"name": str(index), "actions": [f"true >out/{index} 2>err/{index}"], "targets": [f"out/{index}"]}
