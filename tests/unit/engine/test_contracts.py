"""What nodes take and give in the pure core: answers, names of the environment, secrets."""

import pytest

from punchlist.model import commands as cmd
from punchlist.model.jobs import Answer, Call, FailureClass, ListJob
from punchlist.model.json import Json
from punchlist.model.policy import Policy
from tests.runs import RUN, Story, broken, flow_of


def flowing(text: str) -> Story:
    return Story(flow_of(text), project=None).start()


def test_a_command_s_output_can_be_read_as_json() -> None:
    story = flowing("outputs: {n: '${{ nodes.a.output.n }}'}\nnodes: {a: {run: x, output: {json: stdout}}}")
    assert story.job(story.attempt_at("a").id).answer == Answer()
    story.over(story.attempt_at("a").id, exit_code=0, result={"exit_code": 0, "stdout": "", "answer": {"n": 3}})
    assert story.run.outputs == {"n": 3}


FILED = "{a: {run: x, on_failure: continue, output: {file: '${{ run.id }}.json', fields: {n: int}}}}"


def test_a_command_s_answer_may_be_a_file_and_must_be_what_is_declared() -> None:
    story = flowing(f"nodes: {FILED}")
    attempt = story.attempt_at("a").id
    assert story.job(attempt).answer == Answer(file="R1.json")
    story.over(attempt, exit_code=0, result={"exit_code": 0, "stdout": "", "answer": {"n": "x"}})
    assert (story.node("a").status, story.node("a").output) == ("failed", None)
    assert story.node("a").error == "attempt A1: bad output: n is a string; allowed: int"


@pytest.mark.parametrize(
    ("result", "output"),
    [
        ({"exit_code": 1, "stdout": "", "answer": {"n": 1}}, {"n": 1}),
        ({"exit_code": 1, "stdout": "", "answer": {"n": ""}}, None),
        ({"exit_code": 1, "stdout": ""}, None),
    ],
)
def test_a_command_that_fails_answers_all_the_same_if_it_can(result: Json, output: Json) -> None:
    story = flowing(f"nodes: {FILED}")
    story.fail(story.attempt_at("a"), result=result)
    assert (story.node("a").status, story.node("a").output) == ("failed", output)


LISTED = """
punchlist: 1
flow: test
env: [A]
secrets: [S]
nodes:
  own: {run: "echo ${{ env.A }}", env: {B: "${{ env.A }}!"}, secrets: [T], needs: []}
  agent: {agent: w, prompt: "${{ env.A }}", env: {N: "${{ 3 }}"}, needs: []}
  called: {call: ./c.yaml, needs: []}
"""
CALLED = """
punchlist: 1
flow: called
env: [C]
secrets: [U]
nodes: {group: {nodes: {inner: {run: "echo ${{ env.C }}"}}}}
"""


def test_each_process_gets_what_its_own_flow_lists_and_names_of_secrets_alone() -> None:
    story = Story(flow_of(LISTED, read={"./c.yaml": CALLED}), project=None)
    story.env = {"A": "a", "C": "c"}
    story.start(policy=Policy(max_parallel=4))

    own, agent, inner = (story.job(story.attempt_at(each).id) for each in ("own", "agent", "called.group.inner"))

    assert own.env == {"A": "a", "B": "a!", "PUNCHLIST_V0": "a"}
    assert (agent.env["A"], agent.env["N"], agent.prompt) == ("a", "3", "a")
    assert inner.env == {"C": "c", "PUNCHLIST_V0": "c"}
    assert (own.secrets, agent.secrets, inner.secrets) == (("S", "T"), ("S",), ("U",))
    assert own.masked == agent.masked == inner.masked
    assert set(own.masked) == {"S", "T", "U"}


def test_what_is_added_to_a_run_cannot_ask_for_what_the_run_was_not_given() -> None:
    story = Story(flow_of(LISTED, read={"./c.yaml": CALLED}), project=None).start()
    more = 'nodes: {new: {run: "x", secrets: [S, V]}, called_too: {call: ./c.yaml}}'
    command = cmd.AddNodes(run=RUN, text=more, source="more.yaml", files={"./c.yaml": CALLED})

    said = broken(lambda: story.tell(command))

    assert "more.yaml: run R1 was not given V, C: what a flow lists is taken when a run is started" in said


def test_a_command_whose_output_is_not_declared_fits_whatever_it_says() -> None:
    story = flowing("nodes: {a: {run: x, output: {json: stdout}}}")
    story.over(story.attempt_at("a").id, exit_code=0, result={"exit_code": 0, "stdout": "", "answer": [1]})
    assert story.node("a").output == [1]


CALL = """nodes:
  a: {python: "m:f", with: {n: "${{ run.id }}"}, output: {n: int}, memory: 1GiB, secrets: [S], env: {A: x}}"""


def test_a_function_is_called_with_resolved_arguments_within_its_limits() -> None:
    story = flowing(CALL)

    job = story.job(story.attempt_at("a").id)
    story.over(job.attempt, result={"exit_code": 0, "stdout": "", "answer": {"n": 3}})

    assert job.call == Call(function="m:f", arguments={"n": "R1"})
    assert (job.limits.memory, job.env, job.secrets, job.argv) == (1 << 30, {"A": "x"}, ("S",), ())
    assert (story.node("a").status, story.node("a").output) == ("succeeded", {"n": 3})


def test_a_function_that_returns_something_else_fails_its_node() -> None:
    story = flowing(CALL)
    story.over(story.attempt_at("a").id, result={"exit_code": 0, "stdout": "", "answer": {"n": "x"}})

    assert story.node("a").error == "attempt A1: bad output: n is a string; allowed: int"


def test_a_function_without_a_declared_output_gives_whatever_it_returns() -> None:
    story = flowing("nodes: {a: {python: 'm:f'}}")
    story.over(story.attempt_at("a").id, result={"exit_code": 0, "stdout": "", "answer": None})

    assert (story.node("a").status, story.node("a").output) == ("succeeded", None)


def test_a_function_is_not_called_again_unless_its_node_says_so() -> None:
    story = flowing("nodes: {a: {python: 'm:f'}}")
    story.fail(story.attempt_at("a"))

    assert (story.node("a").status, len(story.node("a").attempts)) == ("failed", 1)


def test_a_limit_that_is_no_size_fails_the_attempt() -> None:
    story = flowing("nodes: {a: {run: x, memory: '${{ run.id }}'}}")

    assert "memory is 'R1'; allowed: 512MiB, 4GiB" in broken(lambda: story.job(story.attempt_at("a").id))


ITEMS = "nodes: {a: {for_each: {json: '${{ run.id }}.json'}, as: it, nodes: {n: {run: 'echo ${{ it }}'}}}}"


def test_items_are_read_before_any_of_them_begins() -> None:
    story = flowing(ITEMS)
    attempt = story.attempt_at("a")
    assert story.job(attempt.id) == ListJob(attempt=attempt.id, run=RUN, path="R1.json", form="json")
    assert story.node("a").children == ()

    story.over(attempt.id, result={"items": ["x"]})
    story.over(story.attempt_at("a[0].n").id, result={"exit_code": 0, "stdout": ""})

    assert story.node("a").output == [{"exit_code": 0, "stdout": ""}]


def test_a_list_that_cannot_be_read_fails_its_node() -> None:
    story = flowing(ITEMS)
    story.fail(story.attempt_at("a"), FailureClass.DEFINITION, reason="no file")

    assert (story.node("a").status, story.node("a").error) == ("failed", "attempt A1: no file")


def test_a_list_that_is_still_to_come_does_not_end_when_the_run_goes_on() -> None:
    story = flowing(ITEMS)
    story.tell(cmd.Pause(run=RUN, now=True))
    story.tell(cmd.Resume(run=RUN))

    assert story.node("a").status == "running"
    story.over(story.attempt_at("a").id, result={"items": []})
    assert (story.node("a").status, story.node("a").output) == ("succeeded", [])
