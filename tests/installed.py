"""The installed command, driven as a shell would: a process, an environment built from nothing, a home of its own."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MARK = b"PUNCHLIST_ATTEMPT_DIR="
PROGRAM = Path(sys.executable).with_name("punchlist")
TIMEOUT = 120
PATIENCE = 120
"""How many seconds a test waits at most for something to come about."""


@dataclass(frozen=True)
class Call:
    """One call: what was typed, and what came of it."""

    argv: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output as the one JSON object that --json promises."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value

    def __str__(self) -> str:
        return f"$ punchlist {' '.join(self.argv)}\nexit {self.code}\n{self.out}\n{self.err}"


@dataclass(frozen=True)
class Workspace:
    """A folder to call `punchlist` in. Nothing of the caller's environment reaches it but where programs are."""

    root: Path
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of a call."""
        programs = [f"{sys.base_prefix}/bin/python3", *(shutil.which(name) for name in ("git", "sh"))]
        folders = dict.fromkeys(str(Path(program).parent) for program in programs if program)
        return {"PATH": ":".join(folders), "HOME": str(self.home), "LANG": "C.UTF-8"}

    def punchlist(
        self,
        *argv: str,
        stdin: bytes = b"",
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT,
        through: Sequence[str] = (),
        preexec_fn: Callable[[], None] | None = None,
    ) -> Call:
        """Call the program, perhaps through another one, and wait for it."""
        done = subprocess.run(
            [*through, PROGRAM, *argv],
            cwd=cwd or self.root,
            env={**self.environment, **(env or {})},
            input=stdin,
            capture_output=True,
            check=False,
            timeout=timeout,
            preexec_fn=preexec_fn,
        )
        return Call(argv, done.returncode, done.stdout.decode(), done.stderr.decode())

    def begun(self, *argv: str, **options: Any) -> subprocess.Popen[str]:
        """Start the program and return at once; output is in pipes, as text."""
        return subprocess.Popen(
            [PROGRAM, *argv],
            cwd=options.pop("cwd", self.root),
            env={**self.environment, **options.pop("env", {})},
            stdin=options.pop("stdin", subprocess.DEVNULL),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    @staticmethod
    def over(process: subprocess.Popen[str]) -> Call:
        """Wait for what was begun, and return what came of it."""
        out, err = process.communicate(timeout=TIMEOUT)
        assert isinstance(process.args, list)
        return Call(tuple(map(str, process.args[1:])), process.returncode, out, err)

    def ok(self, *argv: str, **options: Any) -> dict[str, Any]:
        """Call the program with --json, see that it holds, and return its object."""
        call = self.punchlist(*argv, "--json", **options)
        assert call.code == 0, call
        assert call.json["ok"] is True, call
        return call.json

    def git(self, *argv: str, cwd: Path | None = None) -> str:
        """Call git as the person who owns the folder."""
        command = ["git", "-c", "user.name=A Person", "-c", "user.email=person@example.com", *argv]
        done = subprocess.run(
            command, cwd=cwd or self.root, env=self.environment, capture_output=True, check=True, text=True
        )
        return done.stdout

    def write(self, path: str, text: str) -> Path:
        """Write a file below the folder and return its path."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def repository(self, files: Mapping[str, str], *, path: str = ".") -> Path:
        """Make a git repository with one commit of `files`."""
        folder = self.root / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            self.write(f"{path}/{name}", text)
        self.git("init", "--quiet", "--initial-branch=main", cwd=folder)
        self.git("add", "--all", cwd=folder)
        self.git("commit", "--quiet", "-m", "Begin", cwd=folder)
        return folder

    def engine(self) -> int | None:
        """Return the pid of the engine that runs, or None."""
        pid = self.ok("engine", "status")["engine"]["pid"]
        assert pid is None or isinstance(pid, int)
        return pid

    def kill_engine(self) -> None:
        """End the engine as the kernel does when memory is short: without a word to it."""
        pid = self.engine()
        assert pid is not None, "no engine runs"
        os.kill(pid, signal.SIGKILL)
        until(lambda: self.engine() is None, what="the engine's lock is free")

    def processes(self, attempt: str = "") -> dict[int, str]:
        """Return the processes of one attempt, or of all in this folder, that still live, with their command lines."""
        mine = MARK + os.fsencode(self.root) + (f"/.punchlist/attempts/{attempt}/" if attempt else "/").encode()
        return {pid: command for pid, command, environ in _processes() if mine in environ}

    def stop(self) -> None:
        """End what the calls have left running."""
        for state in [self.root, *self.root.glob("*/")]:
            if (state / ".punchlist").is_dir():
                self.punchlist("-C", os.fspath(state), "engine", "stop", "-q")
        for pid in self.processes():  # a killed engine leaves them to the next one
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def until(holds: Callable[[], object], *, what: str, patience: float = PATIENCE) -> None:
    """Wait until something holds that another process brings about; fails when it does not in time."""
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, f"waited {patience:g} s in vain: {what}"
        time.sleep(0.01)


def _processes() -> Iterator[tuple[int, str, bytes]]:
    """Yield pid, command line and environment of every process that may be looked at; ended ones have neither."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environ = (folder / "environ").read_bytes()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if any(entry.startswith(MARK) for entry in environ.split(b"\0")):
            yield int(folder.name), command, environ
