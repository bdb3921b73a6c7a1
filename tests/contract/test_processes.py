"""What `LocalProcesses` promises of every attempt: its files, its environment, its end."""

import asyncio
import hashlib
import os
import re
import signal
from pathlib import Path

import msgspec
import pytest

from punchlist.errors import DefinitionError, StoreError, WorkerError
from punchlist.model.ids import AttemptId
from punchlist.model.jobs import Limits, Outcome, Role
from punchlist.model.states import AttemptStatus
from punchlist.workers.files import AttemptFiles
from punchlist.workers.killing import Grace
from punchlist.workers.nonces import nonces_of
from punchlist.workers.process import LocalProcesses, believed
from tests.attempts import KEY, Attempts


@pytest.fixture
def attempts(tmp_path: Path) -> Attempts:
    return Attempts(tmp_path)


def test_the_attempt_directory_is_laid_out_as_designed(attempts: Attempts) -> None:
    attempts.sh("echo out; echo err >&2; exit 3", files={"prompt.md": b"Do it."}, role=Role.BUILDER)

    directory = attempts.directory()
    assert {path.name for path in directory.iterdir()} == {
        "request.json",
        "pid",
        "lock",
        "stdout",
        "stderr",
        "exit",
        "io",
    }
    assert {path.name for path in (directory / "io").iterdir()} == {"prompt.md", "ended"}
    assert (directory / "stdout").read_bytes() == b"out\n"
    assert (directory / "stderr").read_bytes() == b"err\n"
    assert re.fullmatch(rb"exit 3\nend [0-9a-f]{32}\n", (directory / "exit").read_bytes())
    assert all(word.isdigit() for word in (directory / "pid").read_text().split())


def test_the_request_names_variables_but_never_their_values(attempts: Attempts) -> None:
    attempts.sh("true", env={"TOKEN": "a secret value"})

    text = (attempts.directory() / "request.json").read_text()
    request = msgspec.json.decode(text)
    assert request["argv"][1:] == ["-c", "true"]
    assert request["cwd"] == str(attempts.work)
    assert "TOKEN" in request["env"]
    assert "a secret value" not in text


def test_an_end_is_told_in_facts(attempts: Attempts) -> None:
    ended = attempts.sh("echo out; echo err >&2; exit 3")

    assert (ended.code, ended.signal, ended.limit) == (3, None, None)
    assert (ended.stdout, ended.stderr) == (b"out\n", b"err\n")
    assert ended.output_digest == hashlib.sha256(b"out\nerr\n").hexdigest()
    assert ended.result is None


@pytest.mark.parametrize(
    ("script", "code", "signal"),
    [
        ("exit 137", 137, None),
        ("kill -9 $$", None, 9),
        ("kill -SEGV $$", None, 11),
        ("kill 0", None, 15),
        ("exit 0", 0, None),
        ("exit 255", 255, None),
    ],
)
def test_a_signal_is_told_from_the_exit_code_that_looks_like_it(
    attempts: Attempts, script: str, code: int | None, signal: int | None
) -> None:
    ended = attempts.sh(script)

    assert (ended.code, ended.signal) == (code, signal)


@pytest.mark.parametrize("name", ["no-such-program", "./no-such-program", "/no/such/program"])
def test_a_program_that_is_not_there_is_named(attempts: Attempts, name: str) -> None:
    with pytest.raises(WorkerError) as caught:
        attempts.run(name)

    assert name in str(caught.value)
    assert "punchlist doctor" in str(caught.value)
    assert not attempts.directory().exists()


def test_an_argument_that_no_program_can_get_is_refused(attempts: Attempts) -> None:
    with pytest.raises(WorkerError, match="could not be started"):
        attempts.run("echo", "a\0b")


def test_a_command_that_cannot_be_executed_says_so_on_its_standard_error(attempts: Attempts) -> None:
    program = attempts.work / "broken"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)

    ended = attempts.run("./broken")

    assert ended.code in {126, 127}
    assert b"broken" in ended.stderr


def test_standard_input_is_closed_or_the_named_file(attempts: Attempts) -> None:
    given = attempts.work / "given.txt"
    given.write_text("hello\n")

    assert attempts.run("cat").stdout == b""
    assert attempts.run("cat", name="A2", stdin=given).stdout == b"hello\n"


def test_the_environment_is_exactly_what_is_allowed(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path)
    attempts.environ |= {
        "HTTPS_PROXY": "http://proxy:1",
        "SSL_CERT_FILE": "/certificates",
        "AWS_SECRET_ACCESS_KEY": "never",
        "LISTED": "yes",
        "PYTHONPATH": "/elsewhere",
    }

    ended = attempts.run(
        "env", role=Role.QA, pass_env=("LISTED", "ABSENT"), env={"PUNCHLIST_ROUND": "0"}, path=("bin", "/opt")
    )

    seen = dict(line.split("=", 1) for line in ended.stdout.decode().splitlines())
    io = attempts.directory() / "io"
    foreign_to_dash = {"SHLVL", "_"}  # another /bin/sh sets these by itself
    assert {name: value for name, value in seen.items() if name not in foreign_to_dash} == {
        "PATH": f"{attempts.work}/bin:/opt:{attempts.environ['PATH']}",
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "HOME": str(attempts.home),
        "PWD": str(attempts.work),
        "HTTPS_PROXY": "http://proxy:1",
        "SSL_CERT_FILE": "/certificates",
        "LISTED": "yes",
        "PUNCHLIST_ROUND": "0",
        "PUNCHLIST_ROLE": "qa",
        "PUNCHLIST_PROMPT": str(io / "prompt.md"),
        "PUNCHLIST_PACK": str(io / "pack.json"),
        "PUNCHLIST_RESULT": str(io / "result.json"),
        "PUNCHLIST_ATTEMPT": "A1",
        "PUNCHLIST_ATTEMPT_DIR": str(io),
    }


def test_a_check_gets_no_paths_of_an_agent(attempts: Attempts) -> None:
    seen = attempts.run("env").stdout.decode()

    assert "PUNCHLIST_ATTEMPT=A1\n" in seen
    assert "PUNCHLIST_PACK" not in seen


def test_a_program_of_the_projects_own_path_is_found_first(attempts: Attempts) -> None:
    tools = attempts.work / "tools"
    tools.mkdir()
    (tools / "env").write_text("#!/bin/sh\necho mine\n")
    (tools / "env").chmod(0o755)

    assert attempts.run("env", path=("tools",)).stdout == b"mine\n"


def test_the_command_starts_in_its_own_session_with_signals_at_their_defaults(attempts: Attempts) -> None:
    ended = attempts.sh("ps -o sid= -p $$; grep -E 'SigIgn|SigBlk' /proc/self/status")

    session, *signals = ended.stdout.decode().split("\n")
    assert int(session) != os.getsid(0)
    standard = (1 << 31) - 1  # glibc keeps two of the others to itself
    assert [int(line.split()[1], 16) & standard for line in signals if line] == [0, 0]


def test_the_command_does_not_hold_the_lock(attempts: Attempts) -> None:
    ended = attempts.sh("for each in 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$each ] && echo $each; done; true")

    assert ended.stdout == b""


def test_the_lock_is_held_while_the_attempt_lives(attempts: Attempts) -> None:
    ended = attempts.sh(f"flock --nonblock {attempts.directory()}/lock true || echo held")

    assert ended.stdout == b"held\n"
    assert attempts.sh(f"flock --nonblock {attempts.directory()}/lock echo free", name="A2").stdout == b"free\n"


def test_output_is_a_file_that_can_be_read_on_from_anywhere(attempts: Attempts) -> None:
    attempts.sh("printf 0123456789; printf abc >&2")

    attempt = AttemptId("A1")
    assert attempts.processes.tail(attempt, start=4) == b"456789"
    assert attempts.processes.tail(attempt, stream="stderr") == b"abc"
    assert attempts.processes.tail(AttemptId("A9")) == b""
    with pytest.raises(DefinitionError, match="allowed: stdout, stderr"):
        attempts.processes.tail(attempt, stream="exit")


def test_only_the_end_of_long_output_is_kept_in_memory(attempts: Attempts) -> None:
    ended = attempts.sh("head -c 3000000 /dev/zero; printf end")

    assert len(ended.stdout) == 64 << 10
    assert ended.stdout.endswith(b"\0end")
    assert ended.output_digest == hashlib.sha256(bytes(3_000_000) + b"end").hexdigest()


def test_an_attempt_cannot_be_called_a_path(attempts: Attempts) -> None:
    with pytest.raises(DefinitionError, match="cannot be called"):
        attempts.processes.io(AttemptId("../A1"))


def test_what_a_lost_timeline_left_is_moved_aside(attempts: Attempts) -> None:
    attempts.sh("echo first")

    ended = attempts.sh("echo second")

    assert ended.stdout == b"second\n"
    assert (attempts.directory("A1~1") / "stdout").read_bytes() == b"first\n"


def test_the_outcome_is_recorded_in_one_step(attempts: Attempts) -> None:
    outcome = Outcome(attempt=AttemptId("A1"), status=AttemptStatus.SUCCEEDED, exit_code=0)

    attempts.processes.record(outcome)

    text = (attempts.directory() / "outcome.json").read_bytes()
    assert msgspec.json.decode(text, type=Outcome) == outcome
    assert [path.name for path in attempts.directory().iterdir()] == ["outcome.json"]


def test_files_that_cannot_be_written_are_a_matter_of_the_store(attempts: Attempts) -> None:
    attempts.root.parent.mkdir()
    attempts.root.write_text("in the way")

    with pytest.raises(StoreError, match="cannot be written"):
        attempts.run("true")
    with pytest.raises(StoreError, match="cannot be written"):
        attempts.processes.record(Outcome(attempt=AttemptId("A1"), status=AttemptStatus.LOST))


def test_a_result_and_usage_are_handed_over_as_they_are(attempts: Attempts) -> None:
    ended = attempts.sh(
        "printf '{}' >$PUNCHLIST_RESULT; printf 7 >$PUNCHLIST_ATTEMPT_DIR/usage.json", role=Role.BUILDER
    )

    assert (ended.result, ended.usage) == (b"{}", b"7")


@pytest.mark.parametrize("script", ["ln -s /etc/hostname $R", "mkfifo $R", "mkdir $R", "ln -s /dev/zero $R"])
def test_a_result_that_is_no_regular_file_is_not_read(attempts: Attempts, script: str) -> None:
    ended = attempts.sh(f"R=$PUNCHLIST_RESULT; {script}", role=Role.BUILDER)

    assert (ended.code, ended.result) == (0, None)


def test_a_huge_result_is_cut_one_byte_beyond_the_limit(attempts: Attempts) -> None:
    ended = attempts.sh("head -c 9000000 /dev/zero >$PUNCHLIST_RESULT", role=Role.BUILDER)

    assert ended.result is not None
    assert len(ended.result) == (4 << 20) + 1


def test_what_is_not_enforced_is_said(attempts: Attempts) -> None:
    limits = Limits(timeout=20, memory=1 << 30)

    assert attempts.run("true", limits=limits).unenforced == ("sandbox",)
    assert attempts.run("true", name="A2", network=False, limits=limits).unenforced == ("sandbox", "network")


def test_attempts_run_beside_each_other(attempts: Attempts) -> None:
    async def both() -> list[bytes]:
        pipe = attempts.work / "pipe"
        os.mkfifo(pipe)
        ends = await asyncio.gather(
            attempts.processes.run(attempts.launch("sh", "-c", f"cat {pipe}", name="A1")),
            attempts.processes.run(attempts.launch("sh", "-c", f"echo hello >{pipe}", name="A2")),
        )
        return [ended.stdout for ended in ends]

    assert asyncio.run(both()) == [b"hello\n", b""]


def test_the_end_is_marked_for_typed_tools_before_what_is_left_of_the_attempt_is_killed(attempts: Attempts) -> None:
    waits = "while [ ! -e $PUNCHLIST_ATTEMPT_DIR/ended ]; do :; done; echo seen >$PUNCHLIST_ATTEMPT_DIR/late"

    patient = LocalProcesses(attempts.root, attempts.environ, key=KEY, grace=Grace(terminate=20))

    asyncio.run(patient.run(attempts.launch("sh", "-c", f"(trap '' TERM; {waits}) & exit 0", role=Role.BUILDER)))

    assert (attempts.directory() / "io" / "late").read_text() == "seen\n"


def test_nothing_of_a_command_says_what_its_wrapper_is_told(attempts: Attempts) -> None:
    looked = "cat /proc/$PPID/cmdline /proc/$PPID/environ /proc/self/cmdline /proc/self/environ; set; ls /proc/$PPID/fd"

    ended = attempts.sh(f"{looked}; cat <&7", env={"__punchlist_n": "old", "__punchlist_f": "old"})

    nonces = nonces_of(KEY, AttemptId("A1"))
    assert (attempts.directory() / "exit").read_text() == f"exit {ended.code}\nend {nonces.failure}\n"
    assert b"7" not in ended.stdout.splitlines()
    assert not [each for each in nonces if each.encode() in ended.stdout + ended.stderr]


def test_how_a_command_ended_is_known_though_its_folder_was_removed_meanwhile(attempts: Attempts) -> None:
    for code in (0, 3):
        ended = attempts.sh(f"echo out; rm -r {attempts.root}; exit {code}")

        assert (ended.code, ended.signal) == (code, None)
        assert ended.gone == f"its folder {attempts.directory()} was removed while it ran"


def test_a_wrapper_that_could_not_say_who_it_is_has_not_run_its_command(attempts: Attempts) -> None:
    attempts.sh("true")
    files = AttemptFiles(attempts.root, AttemptId("A1"))
    status = os.waitid_result((1, 0, signal.SIGCHLD, 125, os.CLD_EXITED))

    said = believed(None, status, began=files.has_begun())
    (attempts.directory() / "pid").write_text("")  # as a full disk leaves it
    unsaid = believed(None, status, began=files.has_begun())

    assert ((said.code, said.signal), (unsaid.code, unsaid.signal)) == ((125, None), (None, None))


def test_no_end_is_marked_in_a_folder_that_an_agent_put_in_the_place_of_its_own(attempts: Attempts) -> None:
    attempts.sh(f"rm -r $PUNCHLIST_ATTEMPT_DIR && ln -s {attempts.work} $PUNCHLIST_ATTEMPT_DIR", role=Role.BUILDER)

    assert not (attempts.work / "ended").exists()


def test_what_typed_tools_refused_is_told_with_the_end(attempts: Attempts) -> None:
    line = '{"tool": "approve_task", "code": "refused", "message": "it is not of this role"}'

    ended = attempts.sh(f"echo '{line}' >$PUNCHLIST_ATTEMPT_DIR/refused.jsonl", role=Role.BUILDER)

    assert ended.refused == f"{line}\n".encode()
