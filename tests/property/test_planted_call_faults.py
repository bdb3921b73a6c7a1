"""Whatever faults are planted in a call, of shape, meaning and names: one answer tells each of them at its place."""

import copy
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings, strategies as st

from punchlist.errors import PunchlistError
from punchlist.mcp import human
from punchlist.mcp.caller import Caller
from punchlist.mcp.calls import called
from punchlist.service import tasks
from punchlist.service.context import Service
from tests.services import project_workspace, repository, task

EXAMPLES = 50
Place = tuple[str | int, ...]


class Fault(NamedTuple):
    """What is written where; and where that is told, with a part of what is told."""

    place: Place
    value: Any
    where: str
    part: str


class Planted(NamedTuple):
    """A call that is right, and what can be planted in it."""

    tool: str
    arguments: dict[str, Any]
    faults: list[Fault]


NO_SUCH = Fault(("frobnicate",), 1, "frobnicate", "there is no such argument")
KEY = Fault(("idempotency_key",), "", "idempotency_key", "1 to 200")
VERSION = Fault(("expected_version",), "1", "expected_version", "a whole number")
TITLE = Fault(("title",), "x\u200b\ufeff", "title", "invisible")
NO_STEP = [
    Fault(("step",), "T1.9", "step", "there is no step T1.9"),
    Fault(("step",), "T9.1", "step", "there is no task T9"),
]
STEP_FAULTS = [
    Fault(("criteria",), [], "criteria", "at least one"),
    Fault(("builder",), "makr", "builder", "Did you mean 'maker'?"),
    Fault(("qa",), "No Name", "qa", "saw 'No Name'"),
    Fault(("goal",), "a\x00b", "goal", "control characters"),
    Fault(("scope", "allow", 0), "/etc/**", "scope.allow[0]", "is absolute"),
    Fault(("policy", "timeout"), "soon", "policy.timeout", "saw 'soon'"),
    Fault(("policy", "rework"), "x", "policy.rework", "a whole number"),
]
STEP: dict[str, Any] = {
    "title": "Write",
    "criteria": ["It reads well."],
    "scope": {"allow": ["docs/**"]},
    "policy": {"rework": 1},
}
CALLS = [
    Planted(
        "create_task",
        {"project": "p", "title": "x", "acceptance": ["It holds."], "steps": [STEP], "labels": ["a"]},
        [
            NO_SUCH,
            KEY,
            VERSION,
            TITLE,
            Fault(("project",), "nope", "project", "there is no project nope"),
            Fault(("spec",), 5, "spec", "saw 5"),
            Fault(("labels", 0), "A b", "labels[0]", "lower-case"),
            Fault(("source",), "", "source", "not blank"),
            Fault(("acceptance", 0), {"text": "t", "timeout": "5m"}, "acceptance[0].timeout", "there is none"),
            *(
                Fault(("steps", 0, *each.place), each.value, f"steps[0].{each.where}", each.part)
                for each in STEP_FAULTS
            ),
        ],
    ),
    Planted(
        "update_task",
        {"task": "T1", "title": "x", "policy": {"rework": 1}},
        [
            NO_SUCH,
            KEY,
            VERSION,
            TITLE,
            Fault(("task",), "T99", "task", "there is no task T99"),
            Fault(("tier",), "heavy", "tier", "light"),
            Fault(("policy", "review"), "allways", "policy.review", "always"),
            Fault(("acceptance",), [{"text": "t", "timeout": "5m"}], "acceptance[0].timeout", "there is none"),
        ],
    ),
    Planted(
        "create_step",
        {"task": "T1", **STEP},
        [
            NO_SUCH,
            KEY,
            VERSION,
            TITLE,
            Fault(("task",), "p", "task", "such as T1"),
            Fault(("position",), 0, "position", "at least 1"),
            *STEP_FAULTS,
        ],
    ),
    Planted(
        "update_step",
        {"step": "T1.1", **STEP},
        [NO_SUCH, KEY, VERSION, TITLE, *NO_STEP, *STEP_FAULTS],
    ),
    Planted(
        "create_project",
        {"name": "new", "spec": "x", "repo": "lib", "base": "main"},
        [
            NO_SUCH,
            KEY,
            TITLE,
            Fault(("name",), "Bad Name", "name", "Try: bad-name"),
            Fault(("spec",), "\x07", "spec", "control characters"),
            Fault(("repo",), "gone", "repo", "there is no such folder"),
            Fault(("base",), "-x", "base", "cannot be the name of a branch"),
        ],
    ),
    Planted(
        "update_project",
        {"project": "p", "repo": "lib", "base": "main"},
        [
            NO_SUCH,
            KEY,
            VERSION,
            TITLE,
            Fault(("project",), "nope", "project", "there is no project nope"),
            Fault(("repo",), "gone", "repo", "there is no such folder"),
            Fault(("base",), "-x", "base", "cannot be the name of a branch"),
        ],
    ),
    Planted(
        "wait_for",
        {"ids": ["T1", "T1.1", "T1"], "states": ["draft"], "timeout": 0},
        [
            NO_SUCH,
            Fault(("ids", 0), "T99", "ids[0]", "there is no task T99"),
            Fault(("ids", 1), "zz", "ids[1]", "is not the id of"),
            Fault(("ids", 2), "T98", "ids[2]", "there is no task T98"),
            Fault(("states", 0), "bogus", "states[0]", "there is no state 'bogus'"),
            Fault(("timeout",), -1, "timeout", "at least 0"),
        ],
    ),
    Planted(
        "list_tasks",
        {"status": ["draft", "ready"], "after": "T1"},
        [
            NO_SUCH,
            Fault(("project",), "nope", "project", "there is no project nope"),
            Fault(("status", 0), "drft", "status[0]", "Did you mean 'draft'?"),
            Fault(("status", 1), "done", "status[1]", "is not a state of tasks"),
            Fault(("after",), "T99", "after", "there is no task T99"),
            Fault(("limit",), 0, "limit", "at least 1"),
        ],
    ),
    Planted(
        "plan_project",
        {"project": "p"},
        [
            NO_SUCH,
            KEY,
            VERSION,
            Fault(("project",), "nope", "project", "there is no project nope"),
            Fault(("planner",), "nobody", "planner", "there is no worker 'nobody'"),
            Fault(("request",), "\x1b", "request", "control character"),
        ],
    ),
    Planted(
        "set_step_status",
        {"step": "T1.1", "status": "skip", "reason": "It is done elsewhere."},
        [
            NO_SUCH,
            KEY,
            VERSION,
            *NO_STEP,
            Fault(("status",), "done", "status", "skip"),
            Fault(("reason",), "  ", "reason", "it is blank"),
        ],
    ),
]


class Fixed(Caller):
    """A client whose calls are made in one context."""

    def __init__(self, service: Service) -> None:
        super().__init__(service.root, person=True)
        self.fixed = service

    @property
    def service(self) -> Service:
        return self.fixed


class Desk:
    """The tools of a workspace with the project `p`, the draft T1 and the repository `lib`."""

    def __init__(self, service: Service) -> None:
        repository(service.root / "lib")
        tasks.create(service, "p", document=task())
        self._tools = {tool.name: tool for tool in human.tools(Fixed(service))}

    def __repr__(self) -> str:
        return "the tools"

    def refused(self, call: Planted, faults: list[Fault]) -> PunchlistError:
        """Return what refuses a call in which these faults are planted."""
        with pytest.raises(PunchlistError) as refused:
            called(self._tools[call.tool], planted(call.arguments, faults))
        return refused.value


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """One workspace for all: what is refused changes nothing."""
    return Desk(project_workspace(tmp_path_factory.mktemp("planted") / "ws"))


@pytest.mark.parametrize("call", CALLS, ids=[call.tool for call in CALLS])
@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_several_faults_in_one_call_are_all_told(desk: Desk, call: Planted, data: st.DataObject) -> None:
    faults = data.draw(st.lists(st.sampled_from(call.faults), min_size=2, unique_by=lambda each: each.place))

    told = [(each.where, str(each)) for each in desk.refused(call, faults).problems]

    assert sorted(where for where, _ in told) == sorted(each.where for each in faults), told
    for each in faults:
        assert any(where == each.where and each.part in text for where, text in told), (each, told)


@pytest.mark.parametrize("call", CALLS, ids=[call.tool for call in CALLS])
def test_each_fault_alone_is_told(desk: Desk, call: Planted) -> None:
    for fault in call.faults:
        told = str(desk.refused(call, [fault]))

        assert fault.where in told, fault
        assert fault.part in told, fault


def planted(arguments: dict[str, Any], faults: list[Fault]) -> dict[str, Any]:
    found = copy.deepcopy(arguments)
    for fault in faults:
        part: Any = found
        for step in fault.place[:-1]:
            part = part[step]
        part[fault.place[-1]] = copy.deepcopy(fault.value)
    return found
