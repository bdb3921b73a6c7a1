"""What commands and agents of a flow answer: read, held against what is declared, refused where it is not that."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.installed import Workspace

SETTINGS = """\
[workers.learner]
type = "command"
argv = ["./learner"]
[workers.stubborn]
type = "command"
argv = ["sh", "-c", "echo '{\\"n\\": \\"many\\"}' > $PUNCHLIST_RESULT"]
[policy]
retries = 0
"""
LEARNER = """\
#!/bin/sh
if grep -q "Sent back" "$PUNCHLIST_PROMPT"; then n=3; else n='"many"'; fi
echo "{\\"n\\": $n}" > "$PUNCHLIST_RESULT"
"""
FLOW = """\
punchlist: 1
flow: answers
outputs: {verdict: "${{ nodes.red.output.status }}", n: "${{ nodes.learns.output.n + nodes.stdout.output.n }}"}
nodes:
  red:
    run: echo '{"status":"red"}' > report.json; exit 1
    on_failure: continue
    output: {file: report.json, schema: schemas/report.json}
  stdout: {run: "echo '{\\"n\\": 4}'", output: {json: stdout, fields: {n: int}}}
  learns: {agent: learner, prompt: Count., output: {n: int}}
  stubborn: {agent: stubborn, prompt: Count., output: {n: int}, on_failure: continue}
  large: {run: "head -c 50000000 /dev/zero", output: {json: stdout}, on_failure: continue}
  heavy: {run: "head -c 50000000 /dev/zero > big", output: {file: big}, on_failure: continue}
  strange:
    run: echo '{"status":"blue"}'
    output: {json: stdout, schema: schemas/report.json}
    on_failure: continue
  outside: {run: "ln -s /etc/hostname outside", output: {file: outside}, on_failure: continue}
  owned: {run: "true", output: {file: .punchlist/state.db}, on_failure: continue}
  missing: {run: "true", output: {file: nowhere.json}, on_failure: continue}
  pipe: {run: mkfifo pipe, output: {file: pipe}, on_failure: continue}
  prose: {run: echo three, output: {json: stdout}, on_failure: continue}
  exact: {run: echo 9007199254740993, output: {json: stdout}, on_failure: continue}
  gone_well: {run: echo said; rm -r .punchlist/attempts}
  gone_badly: {run: rm -r .punchlist/attempts; exit 3, on_failure: continue}
  gone_answer: {run: echo 4; rm -r .punchlist/attempts, output: {json: stdout}, on_failure: continue}
"""
SCHEMA = '{"type": "object", "properties": {"status": {"enum": ["green", "red"]}}, "required": ["status"]}'


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A run of all of it."""
    folder = tmp_path_factory.mktemp("answers")
    place = Workspace(folder / "here", folder / "home")
    for each in (place.root, place.home):
        each.mkdir()
    place.ok("init")
    place.write("punchlist.toml", SETTINGS)
    place.write("learner", LEARNER).chmod(0o755)
    place.write("schemas/report.json", SCHEMA)
    place.write("answers.yaml", FLOW)
    done: dict[str, Any] = place.ok("run", "answers.yaml", "--foreground")["run"]
    done["log"] = len(str(place.ok("events")))
    yield done
    place.stop()


def node(run: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [each for each in run["nodes"] if each["path"] == name]
    assert isinstance(found, dict)
    return found


def test_a_file_and_standard_output_are_answers_also_of_a_command_that_is_red(run: dict[str, Any]) -> None:
    assert run["outputs"] == {"verdict": "red", "n": 7}
    assert (node(run, "red")["status"], node(run, "red")["output"]) == ("failed", {"status": "red"})


def test_a_bad_answer_of_an_agent_goes_back_to_it_once(run: dict[str, Any]) -> None:
    assert (node(run, "learns")["status"], len(node(run, "learns")["attempts"])) == ("succeeded", 2)
    assert (node(run, "stubborn")["status"], len(node(run, "stubborn")["attempts"])) == ("failed", 2)
    assert "bad output: n is a string; allowed: int" in node(run, "stubborn")["error"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("large", "standard output has 50.0 MB; an answer holds at most 4 MiB"),
        ("heavy", "'big' has 50.0 MB; an answer holds at most 4 MiB"),
        ("strange", 'status: "blue" is not one of "green" or "red"'),
        ("outside", "'outside' leads out of the work folder"),
        ("owned", "'.punchlist/state.db' is a file of the engine's own"),
        ("missing", "there is no file 'nowhere.json'"),
        ("pipe", "'pipe' is no regular file"),
        ("prose", "standard output is not JSON"),
        ("exact", "a whole number is 2^53 or larger"),
    ],
)
def test_what_is_no_answer_is_refused_by_name(run: dict[str, Any], name: str, said: str) -> None:
    found = node(run, name)

    assert (found["status"], found["output"]) == ("failed", None)
    assert "bad output: " in found["error"]
    assert said in found["error"]


def test_how_a_command_ended_counts_also_without_its_folder_and_its_output_is_not_taken_for_empty(
    run: dict[str, Any],
) -> None:
    well, badly, answer = (node(run, f"gone_{name}") for name in ("well", "badly", "answer"))

    assert (well["status"], well["output"]) == ("succeeded", {"exit_code": 0})
    assert re.search(r"exit 3; its folder \S+/attempts/A\d+ was removed while it ran, and its output", badly["error"])
    assert re.search(r"bad output: its folder \S+ was removed while it ran, and standard output", answer["error"])


def test_what_is_too_large_is_no_part_of_the_record(run: dict[str, Any]) -> None:
    assert run["log"] < 1_000_000
