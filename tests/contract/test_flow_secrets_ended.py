"""What a cancelled attempt printed of a secret is covered as well, and its value is forgotten with the run."""

from pathlib import Path

from tests.installed import Workspace, until

TOKEN = "a-secret-value"
FLOW = """\
punchlist: 1
flow: slow
secrets: [TOKEN]
nodes: {slow: {run: 'echo "it is $TOKEN"; echo "$TOKEN" >&2; touch begun; sleep 60'}}
"""


def test_what_a_cancelled_attempt_printed_is_covered(tmp_path: Path) -> None:
    place = Workspace(tmp_path / "here", tmp_path / "home")
    for each in (place.root, place.home):
        each.mkdir()
    place.ok("init")
    place.write("slow.yaml", FLOW)
    run = place.ok("run", "slow.yaml", env={"TOKEN": TOKEN})["run"]["id"]
    until((place.root / "begun").exists, what="the command has printed it")

    place.ok("cancel", run)

    kept = place.root / ".punchlist" / "listed" / f"{run}.json"
    until(lambda: not kept.exists(), what="nothing is kept")
    files = [path for path in (place.root / ".punchlist").rglob("*") if path.is_file()]
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []
    assert place.ok("logs", "A1")["text"] == f"it is {'*' * len(TOKEN)}\n"
    place.stop()
