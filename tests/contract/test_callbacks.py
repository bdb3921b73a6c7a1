"""Callbacks: told at least once, under one id however often, off the engine's path, and given up in the end."""

import asyncio
import json
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from punchlist.errors import DefinitionError
from punchlist.model.json import plain
from punchlist.model.outside import CALLBACKS, CallbackCursor, Delivery
from punchlist.model.settings import Callbacks, parse_settings
from punchlist.notify.callbacks import Callback
from punchlist.runtime.deliveries import AGAIN, Deliveries
from punchlist.store import SqliteStore, open_store
from punchlist.workers.calling import CalledPrograms
from punchlist.workers.tag import read_tag, tag_of
from tests.attempts import alive
from tests.installed import Workspace, until
from tests.stored import made

FLOW = "punchlist: 1\nflow: f\nnodes:\n  a: {run: '%s'}\n"
GATE = "punchlist: 1\nflow: g\nnodes:\n  ask: {gate: {message: 'Go?', choices: [go, stop]}}\n"
SECRET = "hush-hush"
DELIVERY = Delivery(id="d1", body={"id": "d1", "on": "done"}, due="2026-11-21T08:00:00.000000Z")


class Told(BaseHTTPRequestHandler):
    """Takes what is posted, and answers as it is told to."""

    def __getattr__(self, name: str) -> Any:
        if name != "do_POST":  # as the class above calls what takes a POST
            raise AttributeError(name)
        return self.take_post

    bodies: ClassVar[list[tuple[str, str, dict[str, Any]]]] = []
    codes: ClassVar[list[int]] = []

    def take_post(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Told.bodies.append((self.path, self.headers["Punchlist-Delivery"], body))
        self.send_response(Told.codes.pop(0) if Told.codes else 204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the class above has it
        pass


@contextmanager
def server() -> Iterator[str]:
    Told.bodies.clear()
    Told.codes.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Told) as serving:
        thread = threading.Thread(target=serving.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    found = Workspace(tmp_path / "here", tmp_path / "home")
    found.root.mkdir()
    found.home.mkdir()
    found.ok("init")
    found.write("good.yaml", FLOW % "true")
    found.write("bad.yaml", FLOW % "false")
    found.write("gate.yaml", GATE)
    yield found
    found.stop()


def told(workspace: Workspace) -> list[dict[str, Any]]:
    """Return what the program that is called back has written down."""
    path = workspace.root / "told.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def call_back(workspace: Workspace, script: str, **said: Any) -> None:
    settings = {"command": ["sh", "-c", script], **said}
    workspace.write(
        "punchlist.toml", "[callbacks]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in settings.items())
    )


WRITE = "{ cat; echo; } >> told.jsonl"


def test_a_program_is_told_on_its_standard_input_how_runs_end_and_wait(workspace: Workspace) -> None:
    call_back(workspace, WRITE)

    workspace.ok("run", "good.yaml", "--wait")
    workspace.punchlist("run", "bad.yaml", "--wait")
    workspace.ok("run", "gate.yaml")
    until(lambda: len(told(workspace)) >= 3, what="three calls")

    assert [(each["on"], each["run"]["id"], each["run"]["status"]) for each in told(workspace)] == [
        ("done", "R1", "succeeded"),
        ("failed", "R2", "failed"),
        ("waiting", "R3", "waiting"),
    ]
    assert told(workspace)[2]["gate"] == {"id": "G1", "kind": "flow", "step": None}
    assert len({each["id"] for each in told(workspace)}) == 3


def test_only_the_moments_that_are_named_are_told(workspace: Workspace) -> None:
    call_back(workspace, WRITE, on=["failed"])

    workspace.ok("run", "good.yaml", "--wait")
    workspace.punchlist("run", "bad.yaml", "--wait")
    until(lambda: told(workspace), what="a call")

    assert [each["run"]["id"] for each in told(workspace)] == ["R2"]


def test_an_address_gets_json_with_the_id_and_a_run_in_the_foreground_waits_for_that(workspace: Workspace) -> None:
    with server() as url:
        workspace.write("punchlist.toml", f'[callbacks]\nurl = "{url}/hook?token={SECRET}"\n')

        workspace.ok("run", "good.yaml", "--foreground")

    ((path, name, body),) = Told.bodies
    assert (path, name, body["id"], body["on"]) == (f"/hook?token={SECRET}", body["id"], name, "done")


def test_what_happened_before_anyone_was_named_is_told_to_nobody(workspace: Workspace) -> None:
    workspace.ok("run", "good.yaml", "--wait")
    workspace.ok("engine", "stop")
    call_back(workspace, WRITE)

    workspace.ok("run", "good.yaml", "--wait")
    until(lambda: told(workspace), what="a call")

    assert [each["run"]["id"] for each in told(workspace)] == ["R2"]


def test_a_callback_that_fails_is_named_and_holds_no_run_up_and_the_engine_stays_for_it(workspace: Workspace) -> None:
    with server() as url:
        Told.codes.append(500)
        workspace.write("punchlist.toml", f'[callbacks]\nurl = "{url}/{SECRET}"\n[engine]\nidle_exit = "1ms"\n')

        run = workspace.ok("run", "good.yaml", "--wait")["run"]
        until(lambda: workspace.ok("status")["problems"], what="the problem is told")
        (problem,) = workspace.ok("status")["problems"]
        running = workspace.ok("engine", "status")["engine"]["running"]

    assert run["status"] == "succeeded"
    assert problem["message"] == "the callback was told of R1 (done) once in vain: it answered 500"
    assert running
    assert SECRET not in (workspace.root / ".punchlist" / "engine.log").read_text()
    assert SECRET not in json.dumps(workspace.ok("config")["settings"])


def test_a_callback_that_hangs_an_outbox_that_is_a_folder_and_a_huge_line_hold_nothing_up(workspace: Workspace) -> None:
    call_back(workspace, f"{WRITE}; sleep 98764", timeout="1h")
    state = workspace.root / ".punchlist"
    (state / "outbox.jsonl").mkdir()
    (state / "inbox.jsonl").write_bytes(
        b'{"id": 1, "verb": "' + b"x" * 10_000_000 + b'"}\n{"id": 2, "verb": "list_projects"}\n'
    )

    first = workspace.ok("run", "good.yaml", "--wait")["run"]
    until(lambda: told(workspace), what="the callback hangs")
    second = workspace.ok("run", "good.yaml", "--wait")["run"]
    problems = {each["where"]: each["message"] for each in workspace.ok("status")["problems"]}
    (state / "outbox.jsonl").rmdir()
    workspace.ok("run", "good.yaml", "--wait")
    until(lambda: len(answers(state)) == 2, what="both lines are answered")
    workspace.ok("engine", "stop")

    assert (first["status"], second["status"]) == ("succeeded", "succeeded")
    assert problems["outbox.jsonl"] == "outbox.jsonl cannot be written: Is a directory"
    assert [(each["id"], each["ok"]) for each in answers(state)] == [(None, False), (2, True)]
    assert alive("98764") == []
    assert [each.tries for each in deliveries(workspace)] == [0, 0, 0]


def answers(state: Path) -> list[dict[str, Any]]:
    """Return what lines of the inbox file were answered."""
    path = state / "outbox.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [each for each in map(json.loads, lines) if "ok" in each]


def test_what_an_engine_was_killed_with_is_told_by_the_next_one_under_the_same_id(workspace: Workspace) -> None:
    call_back(workspace, f"{WRITE}; test -e go || sleep 60", timeout="90s")
    workspace.ok("run", "good.yaml", "--wait")
    until(lambda: told(workspace), what="the first call")

    workspace.kill_engine()
    workspace.write("go", "")
    workspace.ok("engine", "start")
    until(lambda: len(told(workspace)) >= 2, what="the second call")
    until(lambda: deliveries(workspace) == [], what="nothing is left to be told")

    first, second = told(workspace)
    assert first == second


def test_a_run_in_the_foreground_does_not_wait_for_a_callback_when_it_is_told_to_end(workspace: Workspace) -> None:
    call_back(workspace, f"{WRITE}; sleep 98762", timeout="90s")
    running = workspace.begun("run", "good.yaml", "--foreground")
    until(lambda: told(workspace), what="the call")

    running.send_signal(signal.SIGINT)
    call = workspace.over(running)

    assert call.code == 0, call
    assert alive("98762") == []
    assert [each.tries for each in deliveries(workspace)] == [0]


def deliveries(workspace: Workspace) -> list[Delivery]:
    store = open_store(workspace.root / ".punchlist" / "state.db")
    with store.read() as reader:
        found = reader.deliveries()
    store.close()
    return found


# -- one call ---------------------------------------------------------------------------------------------------------


def tell(settings: Callbacks, folder: Path, **environ: str) -> str:
    programs = CalledPrograms(folder / "callbacks")
    given = {"PATH": "/usr/bin:/bin", **environ}
    callback = Callback(lambda: settings, programs=programs, folder=folder, environ=given)
    return asyncio.run(callback.tell(DELIVERY))


def test_a_program_sees_nothing_of_the_environment_but_path_and_what_is_listed(tmp_path: Path) -> None:
    settings = Callbacks(command=("sh", "-c", "env > seen"), env=("KEY", "MISSING"))

    problem = tell(settings, tmp_path, KEY="k", OTHER="o")

    names = {line.partition("=")[0] for line in (tmp_path / "seen").read_text().splitlines()}
    assert problem == ""
    assert names - {"PWD", "_", "SHLVL", "OLDPWD"} == {"PATH", "KEY"}


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (("sh", "-c", "exit 3"), "exit 3"),
        (("sh", "-c", "kill -9 $$"), "killed by signal 9"),
        (("sh", "-c", "exec <&-; exit 0"), ""),
        ((f"./no-such-{SECRET}",), "the program could not be started: it is not there, or may not be executed"),
    ],
)
def test_how_a_program_ended_is_told_without_what_it_is(command: Sequence[str], problem: str, tmp_path: Path) -> None:
    assert tell(Callbacks(command=tuple(command)), tmp_path) == problem


def test_a_program_that_hangs_is_ended_after_its_limit_with_what_it_started(tmp_path: Path) -> None:
    script = "trap '' TERM; sleep 98765 & sleep 98765"

    problem = tell(Callbacks(command=("sh", "-c", script), timeout="300ms"), tmp_path)

    assert problem == "it did not end within 300ms"
    until(lambda: alive("98765") == [], what="no process is left")


def test_nothing_that_a_program_started_in_a_session_of_its_own_outlives_the_call(tmp_path: Path) -> None:
    script = "for each in 1 2 3; do setsid sleep 98764 & done; env -i setsid sleep 98764 & "

    well = tell(Callbacks(command=("sh", "-c", f"{script} exit 0")), tmp_path)
    after_well = alive("98764")
    late = tell(Callbacks(command=("sh", "-c", f"{script} sleep 98764"), timeout="300ms"), tmp_path)
    after_late = alive("98764")

    assert (well, late) == ("", "it did not end within 300ms")
    assert (after_well, after_late) == ([], [])


def test_what_a_killed_engine_had_called_is_ended_before_the_next_call(tmp_path: Path) -> None:
    tag = tag_of(tmp_path / "callbacks" / "A1" / "io")
    left = subprocess.Popen(["sh", "-c", 'ulimit -S -w "$0" || ulimit -S -x "$0"; exec sleep 98763', str(tag)])
    until(lambda: read_tag(left.pid) == tag, what="it has its tag")

    problem = tell(Callbacks(command=("true",)), tmp_path)

    assert problem == ""
    assert left.wait() == -signal.SIGTERM


@pytest.mark.parametrize("url", ["http://127.0.0.1:80800/hook", "http://a..b/", "http://[::1/", f"http://{'a' * 64}/"])
def test_an_address_that_is_none_is_a_failure_like_any_other(url: str, tmp_path: Path) -> None:
    problem = tell(Callbacks(url=url), tmp_path)

    assert problem.startswith("it could not be reached: the address ")


def test_an_address_that_never_answers_is_given_up_after_the_limit(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"

        problem = tell(Callbacks(url=url, timeout="200ms"), tmp_path)
    refused = tell(Callbacks(url=url), tmp_path)

    assert problem == "it did not end within 200ms"
    assert refused.startswith("it could not be reached")


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    with server() as url:
        Told.codes.append(302)

        problem = tell(Callbacks(url=url), tmp_path)

    assert (problem, len(Told.bodies)) == ("it answered 302", 1)


def test_a_url_and_a_command_together_and_another_scheme_are_refused() -> None:
    with pytest.raises(Exception, match="both 'command' and 'url' are given") as caught:
        parse_settings({"callbacks": {"url": f"ftp://{SECRET}", "command": ["x"]}})

    assert "it is no address of the web" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:80800/hook", "the address has a port that there is not; allowed: a number from 1 to 65535"),
        ("http://127.0.0.1:0/hook", "the address has a port that there is not"),
        ("http://127.0.0.1:x/hook", "the address has a port that there is not"),
        ("http://a..b/", "the address names no host"),
        ("http://[::1/", "the address names no host"),
        ("https://:443/", "the address names no host"),
        ("http://a.example/?a b", "there is a blank in the address"),
    ],
)
def test_an_address_that_nobody_can_be_at_is_refused_where_it_is_written(url: str, said: str) -> None:
    with pytest.raises(DefinitionError, match=r"callbacks\.url") as caught:
        parse_settings({"callbacks": {"url": url}})

    assert said in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://a.example", "http://[::1]:8080/x?y=z", "http://u:p@h.example./", "http://h:/"]
)
def test_an_address_is_taken_as_it_is(url: str) -> None:
    assert parse_settings({"callbacks": {"url": url}}).callbacks.url == url


# -- again, and no more -----------------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 21, 8, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    found = made(tmp_path)
    yield found
    found.close()


def test_a_delivery_is_tried_again_after_1_5_15_and_60_minutes_and_then_given_up(store: SqliteStore) -> None:
    clock = Clock()
    kept = Deliveries(store, clock, on=lambda: ("done",))
    with store.write() as writer:
        writer.put_delivery(DELIVERY)
    waits: list[timedelta] = []

    while waiting := kept.waiting():
        clock.moment += kept.until_due(waiting[0])
        kept.told(waiting[0], problem="exit 1")
        waits += [kept.until_due(each) for each in kept.waiting()]

    assert waits == list(AGAIN) == [timedelta(minutes=each) for each in (1, 5, 15, 60)]
    with store.read() as reader:
        (given_up,) = reader.deliveries(given_up=True)
    assert (given_up.id, given_up.tries, given_up.problem) == ("d1", 5, "exit 1")


def test_with_nobody_to_tell_nothing_is_kept_and_who_comes_later_begins_there(store: SqliteStore) -> None:
    named: list[Any] = []
    kept = Deliveries(store, Clock(), on=lambda: named)

    kept.record()
    with store.read() as reader:
        before = reader.cursor(CALLBACKS)
    named.append("done")
    kept.record()

    with store.read() as reader:
        assert (before, reader.cursor(CALLBACKS)) == (None, plain(CallbackCursor(seq=reader.last_event())))
