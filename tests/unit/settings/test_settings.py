"""Settings: what a file may say, what every key resolves to, and what is not in force yet."""

import tomllib

import pytest

from punchlist.errors import DefinitionError, WorkerError
from punchlist.model.settings import (
    LATER,
    Settings,
    parse_settings,
    passed_names,
    resolved,
    usable_worker,
    worker_names,
    worker_type,
)

WHOLE = """
routes = [{label = "docs", builder = "nightly"}]
[workers.claude]
model = "big"
[workers.nightly]
type = "command"
argv = ["./agent.sh", "{prompt_file}"]
env = ["MY_KEY"]
[workers.tale]
type = "scripted"
script = "tale.yaml"
[roles]
planner = "claude"
builder = "nightly"
qa = "codex"
[policy]
rework = 4
memory = "8GiB"
sandbox = "auto"
on_accept = "pr"
[budget]
task = { usd = 20 }
day = { usd = 60, tokens = 20_000_000 }
[projects.slugger]
setup = ["python3 -m venv .venv"]
path = [".venv/bin"]
policy = { sandbox = "bwrap" }
[files]
dir = "projects"
commit = false
[notify]
urls = ["mailto://team@example.org"]
on = ["gate"]
[engine]
idle_exit = "2m"
[approvals]
secret = "open sesame"
[queue.policy]
priority = 2.5
[web]
port = 8080
"""


def settings(text: str = WHOLE) -> Settings:
    return parse_settings(tomllib.loads(text))


def shown(key: str, text: str = WHOLE) -> tuple[object, str, str]:
    found = {each.key: each for each in resolved(settings(text))}[key]
    return found.value, found.source, found.note


def test_every_table_of_the_design_is_taken_as_written() -> None:
    found = settings()

    assert found.workers["nightly"].argv == ("./agent.sh", "{prompt_file}")
    assert found.projects["slugger"].path == (".venv/bin",)
    assert found.budget.task is not None
    assert found.budget.task.usd == 20
    assert found.routes[0].label == "docs"


@pytest.mark.parametrize(
    ("key", "value", "source"),
    [
        ("policy.rework", 4, "punchlist.toml"),
        ("policy.retries", 2, "default"),
        ("roles.planner", "claude", "punchlist.toml"),
        ("roles.node", None, "default"),
        ("engine.idle_exit", "2m", "punchlist.toml"),
        ("workers.nightly.argv", ["./agent.sh", "{prompt_file}"], "punchlist.toml"),
        ("projects.slugger.setup", ["python3 -m venv .venv"], "punchlist.toml"),
    ],
)
def test_a_setting_says_its_value_and_where_it_comes_from(key: str, value: object, source: str) -> None:
    assert shown(key) == (value, source, "")


@pytest.mark.parametrize(
    "key",
    [
        "budget.task",
        "notify.urls",
        "routes",
        "queue.policy.priority",
        "web.port",
        "policy.on_accept",
        "projects.slugger.policy.sandbox",
    ],
)
def test_a_key_of_a_later_part_says_that_it_is_not_in_force_yet(key: str) -> None:
    assert shown(key)[2] == LATER


def test_a_default_that_is_not_in_force_says_so_too() -> None:
    assert {each.key: each.note for each in resolved(Settings()) if each.note} == {
        "policy.sandbox": f"{LATER}: nothing is sandboxed",
        "web.host": LATER,
        "web.port": LATER,
    }


def test_a_value_in_force_of_a_key_with_others_that_are_not_says_nothing() -> None:
    assert shown("policy.sandbox", '[policy]\nsandbox = "none"\n') == ("none", "punchlist.toml", "")


@pytest.mark.parametrize("kind", ["command", "scripted", "heuristic"])
def test_a_model_for_what_is_no_agent_is_told_to_be_without_effect(kind: str) -> None:
    needed = {"command": 'argv = ["x"]', "scripted": 'script = "x"'}.get(kind, "")
    text = f'[workers.w]\ntype = "{kind}"\nmodel = "m"\n{needed}\n'

    assert shown("workers.w.model", text)[2] == f"without effect: a worker of type {kind} is no agent"
    assert shown("workers.claude.model", '[workers.claude]\nmodel = "m"\n')[2] == ""


@pytest.mark.parametrize("named", ["/etc", "../../x", "~/x", "a/../../x"])
def test_a_folder_for_files_outside_the_workspace_is_refused(named: str) -> None:
    with pytest.raises(DefinitionError, match=r"files\.dir: .* is outside the workspace"):
        settings(f'[files]\ndir = "{named}"\n')


def test_a_secret_is_not_shown() -> None:
    assert shown("approvals.secret") == ("(set)", "punchlist.toml", LATER)


def test_the_planner_is_the_heuristic_one_unless_another_is_named() -> None:
    assert shown("roles.planner", "") == ("heuristic", "default", "")


def test_all_problems_of_shape_are_listed_at_once() -> None:
    with pytest.raises(DefinitionError) as refused:
        settings('[polcy]\nrework = 1\n[policy]\nrework = -1\ntimeout = "soon"\n')

    places = {problem.where for problem in refused.value.problems}
    assert places == {"", "policy.rework", "policy.timeout"}
    assert "Did you mean 'policy'?" in str(refused.value)


def test_all_problems_of_meaning_are_listed_at_once() -> None:
    text = """
    routes = [{label = "x", qa = "nobody"}]
    [roles]
    builder = "someone"
    [workers.a]
    model = "m"
    [workers.b]
    type = "command"
    [workers.c]
    type = "scripted"
    """
    with pytest.raises(DefinitionError) as refused:
        settings(text)

    places = [problem.where for problem in refused.value.problems]
    assert places == ["routes[0].qa", "roles.builder", "workers.a", "workers.b", "workers.c"]


def test_the_workers_that_may_be_named_are_the_configured_and_the_built_in_ones() -> None:
    names = worker_names(settings())

    assert {"nightly", "tale", "claude", "codex", "opencode", "gemini", "heuristic", "human"} == set(names)


def test_a_worker_without_a_type_has_the_type_of_its_name() -> None:
    assert worker_type(settings(), "claude") == "claude"
    assert usable_worker(settings(), "heuristic").type == "heuristic"


def test_a_configured_worker_is_given_with_its_type() -> None:
    assert usable_worker(settings(), "tale").script == "tale.yaml"
    assert usable_worker(settings(), "nightly").type == "command"


def test_a_type_of_a_later_version_is_refused_with_what_to_write() -> None:
    with pytest.raises(WorkerError, match="not in this version") as refused:
        usable_worker(settings(), "codex")

    assert "[workers.codex] type =" in refused.value.hint
    assert refused.value.exit_code == 4


def test_an_unknown_worker_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(WorkerError, match="there is no worker 'nobody'; known: claude"):
        worker_type(settings(), "nobody")


def test_a_built_in_name_may_be_given_another_type() -> None:
    found = settings('[workers.codex]\ntype = "command"\nargv = ["true"]\n')

    assert usable_worker(found, "codex").argv == ("true",)


def test_a_worker_that_is_no_table_is_told_once() -> None:
    with pytest.raises(DefinitionError) as refused:
        settings("[workers]\nmine = 5")

    assert [str(problem) for problem in refused.value.problems] == ["workers.mine: saw 5; allowed: an object"]


def test_workers_get_to_see_what_they_list_and_what_their_provider_needs() -> None:
    by_role = settings('[roles]\nbuilder = "claude"\n')
    by_type = settings('[workers.mine]\ntype = "claude"\nenv = ["MY_NAME"]\n')

    assert "ANTHROPIC_API_KEY" in passed_names(by_role)
    assert {"ANTHROPIC_API_KEY", "MY_NAME"} <= passed_names(by_type)
    assert passed_names(settings("")) == frozenset()
