"""The README's commands are typed as they stand."""

import re
from pathlib import Path

from tests.documented import perform
from tests.installed import Workspace, until

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "README.md"
AGENT = """\
#!/bin/sh
case $PUNCHLIST_ROLE in
qa) echo '{"schema": "punchlist/review/1", "criteria": [
    {"id": "AC-1", "verdict": "pass", "evidence": "slugger.py:1"}]}' > "$PUNCHLIST_RESULT" ;;
*) cat "$1" > /dev/null && echo "# keeps Unicode" >> slugger.py ;;
esac
"""


def test_the_commands_of_the_readme_deliver_a_task(folder: Workspace) -> None:
    folder.repository({"slugger.py": "def slugify(text):\n    return text.lower()\n"})
    folder.write("agent.sh", AGENT).chmod(0o755)

    performed = perform(PAGE, folder, only="punchlist ")

    assert len(performed) == 6
    until(lambda: folder.ok("task", "show", "T1")["task"]["status"] == "accepted", what="it is accepted")
    assert folder.git("rev-parse", "punchlist/T1-let-slugify-keep-unicode")


def test_the_make_targets_that_pages_name_are_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    named = {name for page in pages for name in re.findall(r"(?:\$ |`)make ([a-z]+)", page.read_text(encoding="utf-8"))}

    assert {"demo", "test", "check"} <= named <= targets
