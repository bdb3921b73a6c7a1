"""Secrets of a flow: given by the environment alone, and nowhere to be read in what Punchlist keeps and shows."""

import base64
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.installed import Workspace, until

TOKEN = 's3cr"t/välue+x'
KEYS = {"TOKEN": TOKEN, "REGION": "eu"}
SETTINGS = """\
[workers.teller]
type = "command"
argv = ["sh", "-c", "echo \\"told: $TOKEN\\"; printf '{\\"t\\": \\"x%s\\"}' \\"$PLAIN\\" > $PUNCHLIST_RESULT"]
"""
FLOW = """\
punchlist: 1
flow: hiding
env: [REGION]
outputs: {said: "${{ nodes.echo.output.stdout }}", region: "${{ env.REGION }}"}
nodes:
  none: {run: 'echo "none: $TOKEN, region: $REGION"'}
  echo: {run: 'echo "$TOKEN"; echo "$TOKEN" >&2', secrets: [TOKEN]}
  coded: {run: 'echo "x $TOKEN y" | base64', secrets: [TOKEN]}
  split:
    run: 'printf %.5s "$TOKEN"; sleep 0.1; printf %s "${TOKEN#?????}"'
    secrets: [TOKEN]
  json:
    run: |
      python3 -c "import json, os; print(json.dumps({'t': os.environ['TOKEN']}))"
    output: {json: stdout}
    secrets: [TOKEN]
  filed:
    run: |
      python3 -c "import json, os; json.dump({'t': os.environ['TOKEN']}, open('kept.json', 'w'))"
    output: {file: kept.json}
    secrets: [TOKEN]
  handed: {run: cat kept.json}
  red: {run: 'echo "$TOKEN"; exit 1', secrets: [TOKEN], on_failure: continue}
  agent: {agent: teller, prompt: Tell., secrets: [TOKEN], env: {PLAIN: "${{ env.REGION }}"}, output: {t: string}}
"""
SLOW = """\
punchlist: 1
flow: slow
secrets: [TOKEN]
nodes:
  slow:
    run: |
      echo "now: $TOKEN"; touch begun
      while [ ! -e go ]; do sleep 0.05; done
      echo "then: $TOKEN"; exit 1
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("secrets")
    made = Workspace(folder / "here", folder / "home")
    for each in (made.root, made.home):
        each.mkdir()
    made.ok("init")
    made.write("punchlist.toml", SETTINGS)
    made.write("hiding.yaml", FLOW)
    made.write("slow.yaml", SLOW)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def run(place: Workspace) -> dict[str, Any]:
    found: dict[str, Any] = place.ok("run", "hiding.yaml", "--wait", env=KEYS)["run"]
    return found


def output(run: dict[str, Any], name: str) -> Any:
    return next(each["output"] for each in run["nodes"] if each["path"] == name)


def giveaways() -> list[bytes]:
    """Return what gives the value away."""
    coded = base64.b64encode(f"x {TOKEN} y".encode())
    return [TOKEN.encode(), TOKEN.replace('"', '\\"').encode(), quote(TOKEN).encode(), coded, b"v\\u00e4lue"]


def found_in(folder: Path) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(each in path.read_bytes() for each in giveaways())]


def test_a_secret_reaches_the_nodes_that_list_it_and_nothing_shows_it(run: dict[str, Any], place: Workspace) -> None:
    stars = "*" * len(TOKEN.encode())

    assert (run["status"], run["outputs"]) == ("succeeded", {"said": f"{stars}\n", "region": "eu"})
    assert output(run, "none")["stdout"] == "none: , region: eu\n"
    assert output(run, "split")["stdout"] == stars
    assert set(output(run, "json")["t"]) == set(output(run, "filed")["t"]) == {"*"}
    assert TOKEN.encode() not in output(run, "handed")["stdout"].encode()
    assert output(run, "agent") == {"t": "xeu"}
    assert found_in(place.root / ".punchlist") == []
    shown = str([place.ok("events"), place.ok("report", "R1"), place.ok("logs", "A2"), run])
    assert not any(each.decode() in shown for each in giveaways())


def test_the_values_are_forgotten_with_the_run_that_they_were_for(run: dict[str, Any], place: Workspace) -> None:
    kept = place.root / ".punchlist" / "listed"

    until(lambda: not list(kept.iterdir()), what="nothing is kept")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700


def test_what_is_not_set_or_shown_already_is_refused_before_the_run(place: Workspace) -> None:
    bare = place.punchlist("run", "hiding.yaml")
    short = place.punchlist("run", "hiding.yaml", env={"TOKEN": "abc", "REGION": "eu"})
    place.write("shown.yaml", SLOW.replace("secrets:", "doc: it is tell-tale\ninputs: {x: string}\nsecrets:"))
    shown = place.punchlist("run", "shown.yaml", "-i", "x=a tell-tale", env={"TOKEN": "tell-tale"})

    strange = place.punchlist("run", "hiding.yaml", env={"TOKEN": "secret\udcff", "REGION": "\udcfe"})

    assert (bare.code, short.code, shown.code, strange.code) == (2, 2, 2, 2)
    assert "env.REGION: its value is not UTF-8" in strange.err
    assert "secrets.TOKEN: its value is not UTF-8" in strange.err
    assert "env.REGION: it is not set here, and the flow lists it. Type: export REGION=…" in bare.err
    assert "secrets.TOKEN: it is not set here, and the flow lists it. Type: export TOKEN=…" in bare.err
    assert "secrets.TOKEN: its value is too short to be masked; allowed: at least 4 characters" in short.err
    assert "its value stands in the flow" in shown.err
    assert "its value stands in an input" in shown.err
    assert "tell-tale" not in shown.err


def test_a_dry_run_tells_what_is_known_and_needs_no_secret(place: Workspace) -> None:
    plan = place.ok("run", "hiding.yaml", "--dry-run", env={"REGION": "north"})["plan"]

    assert next(each["env"] for each in plan if each["path"] == "agent") == {"PLAIN": "north"}


def test_a_secret_stays_unread_while_it_is_printed_and_when_the_engine_dies(place: Workspace) -> None:
    run = place.ok("run", "slow.yaml", env=KEYS)["run"]["id"]
    begun = place.root / "begun"
    until(begun.exists, what="the command has printed it once")
    attempt = place.ok("report", run)["run"]["nodes"][-1]["attempts"][0]
    kept = place.root / ".punchlist" / "listed" / f"{run}.json"

    live = place.ok("logs", attempt)["text"]
    mode = stat.S_IMODE(kept.stat().st_mode)
    place.kill_engine()
    (place.root / "go").touch()
    until(lambda: not place.processes(attempt), what="the command has ended")
    place.ok("engine", "start")
    until(lambda: not kept.exists(), what="the run is over, and nothing is kept")
    text = place.ok("logs", attempt)["text"]

    assert (live, mode) == (f"now: {'*' * len(TOKEN.encode())}\n", 0o600)
    assert text == f"{live}{live.replace('now', 'then')}"
    assert found_in(place.root / ".punchlist") == []


def test_a_run_that_goes_on_after_its_end_is_given_its_secrets_again(place: Workspace) -> None:
    (place.root / "go").touch()
    run = place.punchlist("run", "slow.yaml", "--wait", "--json", env=KEYS).json["run"]["id"]

    refused = place.punchlist("retry", run)
    again = place.punchlist("retry", run, "--wait", env=KEYS)

    assert (refused.code, again.code) == (2, 1)
    assert "secrets.TOKEN: it is not set here" in refused.err
    (attempt,) = place.ok("report", run)["run"]["nodes"][-1]["attempts"]
    assert place.ok("logs", attempt)["text"].count("*") == 2 * len(TOKEN.encode())
