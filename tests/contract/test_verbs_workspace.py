"""Verbs on a workspace as a whole: init, config, doctor, and where a workspace is found."""

import dataclasses
import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from punchlist import wiring
from punchlist.errors import DefinitionError, RefusedError, WorkerError
from punchlist.service import doctor, projects, settings, starts
from tests.services import at, git, opened, repository, workspace


def shown(answer: dict[str, Any], key: str) -> dict[str, Any]:
    return next(each for each in answer["settings"] if each["key"] == key)


def checked(answer: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in answer["checks"] if each["name"] == name)


def test_a_folder_becomes_an_empty_workspace(tmp_path: Path) -> None:
    answer = wiring.create_workspace(tmp_path)

    assert answer["project"] is None
    assert (tmp_path / ".punchlist/state.db").is_file()
    assert "# rework = 3" in (tmp_path / "punchlist.toml").read_text(encoding="utf-8")
    assert projects.listing(opened(tmp_path)) == {"projects": []}


def test_the_settings_that_init_writes_say_nothing(tmp_path: Path) -> None:
    wiring.create_workspace(tmp_path)

    assert {each["source"] for each in at(settings.config(opened(tmp_path)), "settings")} == {"default"}


def test_a_repository_becomes_the_first_project_and_its_tests_are_tried(tmp_path: Path) -> None:
    test = "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_it(self) -> None:\n        pass\n"
    repo = repository(tmp_path / "My Lib", {"test_it.py": test})

    answer: Any = wiring.create_workspace(repo)

    assert (answer["project"]["id"], answer["project"]["repo"], answer["project"]["base"]) == ("my-lib", ".", "main")
    assert answer["detected"]["tests"] == ["python3 -m unittest discover"]
    assert answer["detected"]["works"]
    assert "/.punchlist/" in (repo / ".git/info/exclude").read_text(encoding="utf-8")
    assert git(repo, "status", "--porcelain") == "?? punchlist.toml"


def test_set_up_that_worked_is_read_into_the_project(tmp_path: Path) -> None:
    repo = repository(tmp_path / "lib", {"Makefile": "test:\n\tls\n"})
    service = workspace(tmp_path / "ws", settings=f'[projects.lib]\nrepo = "{repo}"\nsetup = ["touch here"]\n')

    answer: Any = projects.create(service, "lib", repo=str(repo))

    assert answer["project"]["setup"] == ["touch here"]
    assert [(each["command"], each["worked"]) for each in answer["detected"]["tried"]] == [
        ("touch here", True),
        ("make test", True),
    ]


def test_a_repository_without_commits_is_a_workspace_that_says_what_is_missing(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")

    answer: Any = wiring.create_workspace(tmp_path)

    assert answer["project"] is None
    assert "no commits" in answer["problem"]
    assert "commit --allow-empty" in answer["problem"]


def test_a_workspace_is_made_once(tmp_path: Path) -> None:
    wiring.create_workspace(tmp_path)

    with pytest.raises(RefusedError, match="there is a workspace here already") as refused:
        wiring.create_workspace(tmp_path)

    assert refused.value.exit_code == 3


def test_a_folder_below_a_repositorys_top_is_refused_with_what_to_type(tmp_path: Path) -> None:
    repo = repository(tmp_path / "lib")
    (repo / "src").mkdir()

    with pytest.raises(RefusedError, match="inside the repository") as refused:
        wiring.create_workspace(repo / "src")

    assert f"punchlist init {repo}" in refused.value.hint
    assert list((repo / "src").iterdir()) == []


def test_settings_that_are_there_are_kept_and_bad_ones_stop_init(tmp_path: Path) -> None:
    (tmp_path / "punchlist.toml").write_text("[policy]\nrework = -1\n", encoding="utf-8")

    with pytest.raises(DefinitionError, match=r"policy\.rework"):
        wiring.create_workspace(tmp_path)

    assert not (tmp_path / ".punchlist").exists()


def test_a_workspace_is_found_upward(tmp_path: Path) -> None:
    workspace(tmp_path / "ws")
    inner = tmp_path / "ws" / "a" / "b"
    inner.mkdir(parents=True)

    assert wiring.find_workspace(inner) == tmp_path / "ws"


def test_where_there_is_no_workspace_it_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="there is no workspace here or above") as refused:
        wiring.find_workspace(tmp_path)

    assert refused.value.hint == "Type: punchlist init"


def test_a_folder_that_is_not_there_is_a_wrong_option(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="there is no folder"):
        wiring.find_workspace(tmp_path / "never")


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"[policy\n", "not TOML"), (b"a = '\xff'\n", "not UTF-8"), (b"[plicy]\n", "unknown field 'plicy'")],
)
def test_settings_that_cannot_be_read_are_refused_by_name(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "punchlist.toml").write_bytes(content)

    with pytest.raises(DefinitionError, match=why) as refused:
        wiring.read_settings(tmp_path)

    assert "punchlist.toml" in str(refused.value)


@pytest.mark.parametrize("named", ["..", "/", ".", ".git"])
def test_generated_files_go_to_a_folder_of_their_own_inside_the_workspace(tmp_path: Path, named: str) -> None:
    with pytest.raises(DefinitionError, match="cannot hold the generated files"):
        wiring.files_folder(tmp_path, named)


def test_generated_files_are_beside_the_state_or_in_it_when_that_is_a_repository(tmp_path: Path) -> None:
    repo = repository(tmp_path / "lib")

    assert wiring.files_folder(tmp_path, None) == tmp_path / "projects"
    assert wiring.files_folder(repo, None) == repo / ".punchlist" / "projects"
    assert wiring.files_folder(repo, "docs/plan") == repo / "docs" / "plan"


def test_config_says_what_is_not_in_force_and_what_a_project_overrides(tmp_path: Path) -> None:
    said = '[policy]\nmemory = "2GiB"\n[budget]\nday = { usd = 5 }\n[projects.p]\npolicy = { rework = 1 }\n'
    said += '[projects.nosuch]\nbase = "x"\n'
    service = workspace(tmp_path, settings=said)
    projects.create(service, "p")

    answer = settings.config(service)

    assert shown(answer, "policy.memory")["note"] == ""
    assert shown(answer, "budget.day")["note"] == "not in force yet"
    assert shown(answer, "projects.nosuch.base")["note"] == "without effect: there is no project nosuch"
    assert shown(answer, "budget.day")["value"] == {"usd": 5.0}
    assert shown(answer, "policy.retries")["source"] == "default"
    project = [each for each in at(answer, "settings") if each["key"] == "projects.p.policy.rework"]
    assert [(each["value"], each["source"]) for each in project] == [(1, "punchlist.toml"), (1, "project p")]


def test_doctor_looks_at_the_machine_and_at_each_worker(tmp_path: Path) -> None:
    said = '[workers.a]\ntype = "command"\nargv = ["sh"]\n[workers.b]\ntype = "command"\nargv = ["no-such-program"]\n'
    workspace(tmp_path, settings=f'{said}[roles]\nbuilder = "b"\nqa = "codex"\n[notify]\nurls = ["x"]\n')

    answer = wiring.examine(tmp_path)

    assert checked(answer, "git")["status"] == "ok"
    assert checked(answer, "store")["status"] == "ok"
    assert checked(answer, "worker: a")["status"] == "ok"
    assert "no-such-program" in checked(answer, "worker: b")["detail"]
    assert "not in this version" in checked(answer, "worker: codex")["detail"]
    assert checked(answer, "setting: notify.urls")["detail"] == "not in force yet"
    assert answer["missing"] == ["b", "codex"]


def test_doctor_works_without_a_workspace(tmp_path: Path) -> None:
    answer = wiring.examine(tmp_path)

    assert checked(answer, "workspace")["hint"] == "Type: punchlist init"
    assert answer["missing"] == []


def test_doctor_says_which_settings_and_which_store_cannot_be_read(tmp_path: Path) -> None:
    service = workspace(tmp_path)
    service.store.close()
    (tmp_path / "punchlist.toml").write_text("[x]\n", encoding="utf-8")
    (tmp_path / ".punchlist/state.db").write_bytes(b"not a database, but long enough to be looked at" * 100)

    answer = wiring.examine(tmp_path)

    assert checked(answer, "store")["status"] == "fail"
    assert checked(answer, "settings")["status"] == "fail"


def test_doctor_names_what_the_machine_lacks(tmp_path: Path) -> None:
    machine = doctor.Machine(
        root=tmp_path,
        python=(3, 11, 0),
        runtime_folder=tmp_path,
        run=lambda *command: "git version 2.20.1" if command[0] == "git" else None,
        can_write=lambda _: False,
    )

    answer = doctor.doctor(machine, None)
    without = doctor.doctor(dataclasses.replace(machine, run=lambda *_: None), None)

    assert "2.38 or newer" in checked(answer, "git")["hint"]
    assert checked(answer, "runtime directory")["status"] == "fail"
    assert checked(without, "git")["detail"] == "not found on PATH"


def test_a_worker_that_is_not_there_is_named_before_anything_is_committed(tmp_path: Path) -> None:
    said = '[workers.a]\ntype = "scripted"\nscript = "tale.yaml"\n[workers.b]\ntype = "command"\nargv = ["./never"]\n'
    service = workspace(tmp_path, settings=said)

    for worker, why in (("a", "the script of worker"), ("b", "the program './never'"), (None, "has no builder")):
        with pytest.raises(WorkerError, match=why):
            starts.worker_for(service, worker, role="builder", where="step T1.1")


def test_inside_an_attempt_nobody_is_a_person(tmp_path: Path) -> None:
    assert wiring.attempt_around({"PUNCHLIST_ATTEMPT": "A7"}) == "A7"
    assert wiring.attempt_around({}) is None


def test_an_attempt_above_is_seen_through_a_process_that_hides_it(tmp_path: Path) -> None:
    workspace(tmp_path)
    script = (
        "from pathlib import Path; from punchlist import wiring; "
        "s = wiring.open_service(Path('.')); print(s.actor, s.person)"
    )
    inner = f'env -u PUNCHLIST_ATTEMPT "{sys.executable}" -c "{script}"; true'

    done = subprocess.run(
        ["sh", "-c", inner],
        cwd=tmp_path,
        env={**os.environ, "PUNCHLIST_ATTEMPT": "A7"},
        check=True,
        capture_output=True,
        text=True,
    )

    assert done.stdout.split() == ["agent:unknown/A7", "False"]


def test_the_actor_is_the_person_or_the_program_that_speaks_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace(tmp_path)
    monkeypatch.setenv("USER", "Zoë Doe")

    person = wiring.open_service(tmp_path)
    client = wiring.open_service(tmp_path, client="Claude Desktop")

    assert (person.actor, person.person) == ("human:zoe-doe", True)
    assert (client.actor, client.person) == ("orchestrator:claude-desktop", False)


def test_a_person_without_a_name_in_the_environment_has_that_of_the_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace(tmp_path)
    for name in ("USER", "LOGNAME"):
        monkeypatch.delenv(name, raising=False)

    assert wiring.open_service(tmp_path).actor == f"human:{pwd.getpwuid(os.getuid()).pw_name}"


def test_a_flow_is_checked_once_and_kept(tmp_path: Path) -> None:
    service = workspace(tmp_path)

    first, second = service.flow("deliver"), opened(tmp_path).flow("deliver")

    assert first == second
    assert len(list((tmp_path / ".punchlist/cache/flows").iterdir())) == 1


def test_a_workspaces_own_flow_stands_before_the_built_in_one(tmp_path: Path) -> None:
    service = workspace(tmp_path)
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/plan.yaml").write_text("punchlist: 1\nflow: mine\nnodes: {a: {run: 'true'}}\n", encoding="utf-8")

    assert service.flow("plan").flow == "mine"
    assert service.flow("./flows/plan.yaml").source == "flows/plan.yaml"


def test_an_unknown_flow_is_refused_with_those_that_are_built_in(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="built in are: deliver, design, plan, prove"):
        workspace(tmp_path).flow("never")


def test_validate_lists_every_error_with_its_place(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("punchlist: 1\nflow: good\nnodes: {a: {run: 'true'}}\n", encoding="utf-8")
    bad.write_text("punchlist: 1\nflow: bad\nnodes:\n  a: {run: 'true', nedes: []}\n", encoding="utf-8")

    answer: Any = wiring.validate([good, bad, tmp_path / "never.yaml"])

    sound, broken, missing = answer["flows"]
    assert sound["errors"] == []
    assert [(each["line"], each["column"]) for each in broken["errors"]] == [(4, 20)]
    assert "there is no file" in missing["errors"][0]["message"]
