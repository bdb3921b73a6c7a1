"""`in_dbos.py COUNT STORE`: shells that do nothing, one after the other, each a step that DBOS keeps in SQLite."""

import subprocess
import sys

from dbos import DBOS


@DBOS.step()
def node(index: int) -> None:
    """Run one shell."""
    subprocess.run(["sh", "-c", f"true >out/{index} 2>err/{index}"], check=True)


@DBOS.workflow()
def chain(count: int) -> None:
    """Run one shell after the other."""
    for index in range(count):
        node(index)


def main() -> None:
    """Run as many as the command line says."""
    count, path = int(sys.argv[1]), sys.argv[2]
    store = f"sqlite:///{path}"
    DBOS(config={"name": "chain", "system_database_url": store, "log_level": "ERROR", "run_admin_server": False})
    DBOS.launch()
    chain(count)
    DBOS.destroy()


if __name__ == "__main__":
    main()
