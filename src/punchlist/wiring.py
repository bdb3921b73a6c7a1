"""Settings and surroundings → objects: the only file that chooses adapters and reads time, chance, environment, cwd."""

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from punchlist.errors import DefinitionError, RefusedError
from punchlist.model.ids import StreamId, slug
from punchlist.service.context import STATE, Outside, Service, quiet
from punchlist.service.within import looking, refuse_within
from punchlist.sharing import make_for_all, share_as

if TYPE_CHECKING:
    from punchlist.flow.files import Read
    from punchlist.model.flow import Flow
    from punchlist.model.ids import AttemptId, Commit, ProjectId
    from punchlist.model.jobs import Role
    from punchlist.model.json import Json
    from punchlist.model.records import Project
    from punchlist.model.settings import Settings
    from punchlist.ports import Examined, Worker
    from punchlist.runtime.channel import Channel
    from punchlist.runtime.control import EngineControl
    from punchlist.service.context import Answer, Detected, Say
    from punchlist.service.doctor import Machine
    from punchlist.service.flows import Flows
    from punchlist.store.sqlite import SqliteStore
    from punchlist.workers.process import LocalProcesses
    from punchlist.workers.settings import Host
    from punchlist.workspace.adapter import GitWorkspace
    from punchlist.workspace.files import FolderFiles
    from punchlist.workspace.leftovers import StateLeftovers

DATA = Path(__file__).parent / "data"
_READ_LIMIT = 1_000_000
_MARK = "PUNCHLIST_ATTEMPT"


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present as an aware UTC datetime."""
        return datetime.now(UTC)


class RandomIds:
    """Fresh identities by chance."""

    def uuid(self) -> str:
        """Return a new UUID."""
        import uuid

        return str(uuid.uuid4())


class Surroundings:
    """The adapters of one workspace, each made when it is first asked for; `start` is where it was asked from."""

    def __init__(self, root: Path, *, start: Path, environ: Mapping[str, str]) -> None:
        self.root = root
        self.state = root / STATE
        make_for_all(self.state)
        self._start = start
        self._environ = environ

    @cached_property
    def settings(self) -> "Settings":
        """The workspace's settings; raises DefinitionError with every problem."""
        return read_settings(self.root)

    @cached_property
    def store(self) -> "SqliteStore":
        """The store."""
        from punchlist.store.sqlite import open_store

        return open_store(self.state / "state.db")

    @cached_property
    def workspace(self) -> "GitWorkspace":
        """Git and work folders."""
        from punchlist.workspace.adapter import GitWorkspace

        return GitWorkspace(root=self.root, state=self.state, environ=self._environ)

    @cached_property
    def processes(self) -> "LocalProcesses":
        """Attempts' processes and their output."""
        from punchlist.workers.process import LocalProcesses

        environ = dict(self._environ)  # `os.environ` decodes at each look
        return LocalProcesses(self.state / "attempts", environ, key=os.urandom(32))

    @cached_property
    def leftovers(self) -> "StateLeftovers":
        """What finished work left in the state folder."""
        from punchlist.workspace.leftovers import StateLeftovers

        return StateLeftovers(self.state, self._environ)

    @cached_property
    def channel(self) -> "Channel":
        """Who is told of commits."""
        from punchlist.runtime.channel import Channel

        return Channel.of(self.root, runtime_folder(self._environ), state=self.state)

    @cached_property
    def engine(self) -> "EngineControl":
        """The engine's process, seen from outside."""
        from punchlist import __version__
        from punchlist.runtime.control import EngineControl

        return EngineControl(
            state=self.state,
            channel=lambda: self.channel,
            command=(sys.executable, "-P", "-m", "punchlist", "-C", str(self.root), "engine", "run", "--until-idle"),
            environment=self._environ,
            name=f"watch-{os.getpid()}",
            version=__version__,
        )

    @cached_property
    def files(self) -> "FolderFiles":
        """The generated files' folder."""
        from punchlist.workspace.files import FolderFiles

        return FolderFiles(files_folder(self.root, self.settings.files.dir))

    def flow(self, name: str, *, keep: bool = True) -> "Flow":
        """Return a flow: a file, the workspace's own of that name, or a built-in one. Raises DefinitionError."""
        return _flows(self.root, start=self._start).load(name, keep=keep)

    def worker(self, name: str) -> "tuple[Worker, Mapping[str, Json]]":
        """Return a worker with its settings as the file has them now; raises WorkerError when it cannot be started."""
        import msgspec

        from punchlist.model.json import encode
        from punchlist.model.settings import usable_worker
        from punchlist.workers.registry import make_worker

        settings: dict[str, Json] = msgspec.json.decode(encode(usable_worker(read_settings(self.root), name)))
        return make_worker(name, settings, host=_host(self._environ)), settings

    def python(self) -> tuple[str, ...]:
        """Return the command line by which a function is called in the project's interpreter, less its name."""
        interpreter = read_settings(self.root).python.interpreter
        program = str(self.root / interpreter) if os.sep in interpreter else interpreter
        return program, str(DATA / "call_function.py")

    def access(self, attempt: "AttemptId", role: "Role") -> Mapping[str, bytes]:
        """Return the files by which the typed tools of an attempt are reached, with a token of its own."""
        from punchlist.workers.access import access_files

        io = str(self.processes.io(attempt))
        return access_files(attempt, role, io=io, token=RandomIds().uuid(), host=_host(self._environ))

    def examine(self, name: str) -> "Examined | None":
        """Return what the program of a worker says of itself; None for a type that has nothing to ask."""
        from punchlist.workers.asking import examine

        return examine(*self.worker(name), root=self.root, environ=self._environ)

    def find_program(self, name: str) -> str | None:
        """Return where a worker's program is: a bare name on PATH, a path from the workspace; None when nowhere."""
        from punchlist.executables import find_program

        return find_program(name, self._environ.get("PATH") or os.defpath, cwd=self.root)

    def commit_text(self, project: "ProjectId", commit: "Commit") -> str | None:
        """Return a commit of the engine's repository of a project, as git keeps it."""
        from punchlist.workspace.commits import commit_text

        return commit_text(self.state / "git" / f"{project}.git", commit, environ=self._environ)

    def known_base(self, project: "Project") -> "Commit | None":
        """Return the tip of a project's base branch if it was asked for before; None when git must be asked."""
        from punchlist.workspace.heads import known_base

        return known_base(project, root=self.root, state=self.state)

    def outside(self) -> Outside:
        """Return the ways to all this, for the verbs."""
        return Outside(
            store=lambda: self.store,
            workspace=lambda: self.workspace,
            engine=lambda: self.engine,
            files=lambda: self.files,
            processes=lambda: self.processes,
            leftovers=lambda: self.leftovers,
            settings=lambda: self.settings,
            flow=self.flow,
            find_program=self.find_program,
            examine=self.examine,
            head_branch=_head_branch,
            detect=_detect,
            commit_text=self.commit_text,
            known_base=self.known_base,
            environment=self._environ,
            folder=self._start,
        )


def find_workspace(start: Path) -> Path:
    """Return the workspace at `start` or above it; raises RefusedError when there is none."""
    start = start.absolute()
    if not start.is_dir():
        raise DefinitionError(f"there is no folder {start}", where="-C")
    for folder in (start, *start.parents):
        if (folder / STATE / "state.db").exists():
            return folder.resolve()
    for folder in (start, *start.parents):
        if (folder / STATE).is_dir():
            return folder.resolve()
    raise RefusedError("there is no workspace here or above", where=str(start), hint="Type: punchlist init")


def open_service(start: Path | None = None, *, client: str | None = None) -> Service:
    """Return the verbs' context for the workspace around `start` (by default the current folder).

    With `client`, the name of a program that speaks for a person, the actor is that program, and no person.
    """
    folder = (start or Path.cwd()).absolute()
    surroundings = Surroundings(find_workspace(folder), start=folder, environ=os.environ)
    return service_of(surroundings, actor=None if client is None else f"orchestrator:{slug(client)}")


def create_workspace(folder: Path | None = None, *, nested: bool = False, say: "Say" = quiet) -> "Answer":
    """Make a workspace in `folder` (by default the current one); in a repository that becomes its first project.

    One whose repository could not become its project is finished. Raises RefusedError where there is one already
    and, unless `nested`, in a folder below a repository's top.
    """
    from punchlist.service import doctor, workspaces
    from punchlist.store.sqlite import create_store
    from punchlist.workspace.heads import common_git_dir, is_repository

    refuse_inside("init")
    root = (folder or Path.cwd()).resolve()
    root.mkdir(parents=True, exist_ok=True)
    in_git = is_repository(root)
    above = None if in_git else next((each for each in root.parents if (each / ".git").exists()), None)
    if above is not None and not nested:
        hint = f"Type: punchlist init {above}, or choose a folder outside of it."
        raise RefusedError(f"this folder is inside the repository {above}", where=str(root), hint=hint)
    surroundings = Surroundings(root, start=root, environ=os.environ)
    service = service_of(surroundings)
    if not (begun := in_git and workspaces.lacks_project(service)):
        workspaces.refuse_existing(root)
    files_folder(root, read_settings(root).files.dir)
    (root / STATE).mkdir(exist_ok=True)
    share_as(root, root / STATE)
    make_for_all(root / STATE)
    if in_git:
        workspaces.exclude(common_git_dir(root), entry=f"/{STATE}/")
    if not begun:
        stream = StreamId(RandomIds().uuid())
        create_store(root / STATE / "state.db", workspace_stream=stream, at=service.now(), actor=service.actor)
    made = workspaces.first_project(service, say=say) if in_git else {"project": None, "detected": None}
    kept: dict[str, Json] = {"root": str(root), "in_git": in_git, "settings_written": workspaces.write_settings(root)}
    return {"workspace": {**kept, "sandbox": doctor.sandbox(_machine(root)).detail}, **made}


def examine(start: Path | None = None) -> "Answer":
    """Look at the machine, and at the workspace around `start` when there is one."""
    from punchlist.service.doctor import doctor

    folder = (start or Path.cwd()).absolute()
    try:
        service = open_service(folder)
    except RefusedError:
        service = None
    return doctor(_machine(service.root if service else folder), service)


def reader(folder: Path) -> "Read":
    """Return what reads the files that a definition in `folder` names: those beside it, else the built-in flows."""
    from punchlist.service import flows

    return flows.reader(folder, built_in=_flows(folder, start=folder).built_in)


def validate(paths: Sequence[Path]) -> "Answer":
    """Check flows without running anything; needs no workspace."""
    from punchlist.service import flows

    return flows.validate(paths, built_in=known_flows(Path.cwd()).built_in)


def known_flows(folder: Path) -> "Flows":
    """Return where flows are that are named in a folder; needs no workspace."""
    start = folder.absolute()
    try:
        root = find_workspace(start)
    except RefusedError:
        root = start
    return _flows(root, start=start)


def read_settings(root: Path) -> "Settings":
    """Return the settings in a workspace's file, the defaults without one; raises DefinitionError."""
    from punchlist.model.settings import FILE, Settings, parse_settings
    from punchlist.service import inputs

    path = root / FILE
    if not path.exists():
        return Settings()
    import tomllib

    text = inputs.text_file(path, what=FILE)
    try:
        return parse_settings(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"{FILE} is not TOML: {error}", where=str(path), hint="Mend that line.") from None


def files_folder(root: Path, named: str | None) -> Path:
    """Return the folder of generated files: in a repository below the state, else beside it, unless one is named."""
    if named is None:
        return root / STATE / "projects" if (root / ".git").exists() else root / "projects"
    folder = (root / named).resolve()
    if folder == root or not folder.is_relative_to(root) or folder.is_relative_to(root / ".git"):
        raise DefinitionError(
            f"{named!r} cannot hold the generated files; allowed: a folder of its own inside the workspace",
            where="files.dir",
        )
    return folder


def runtime_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of sockets: short, because a socket's path has room for about 100 bytes.

    That of a login goes when its last session ends, while what runs in a terminal multiplexer still names it.
    """
    given = environ.get("XDG_RUNTIME_DIR")
    if given and Path(given).is_dir():
        return Path(given) / "punchlist"
    return Path("/tmp") / f"punchlist-{os.getuid()}"  # noqa: S108 - mode 0700


def here() -> Path:
    """Return the current folder."""
    return Path.cwd()


def environment() -> Mapping[str, str]:
    """Return the environment of this process."""
    return os.environ


def attempt_around(environ: Mapping[str, str]) -> str | None:
    """Return the attempt that this process is part of, by its environment or that of a process above it."""
    if environ.get(_MARK):
        return environ[_MARK]
    pid = os.getppid()
    while pid > 1:
        try:
            surroundings = Path(f"/proc/{pid}/environ").read_bytes()
            pid = int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return None
        for entry in surroundings.split(b"\0"):
            name, _, value = entry.partition(b"=")
            if name == _MARK.encode() and value:
                return value.decode(errors="replace")
    return None


def refuse_inside(verb: str) -> None:
    """Refuse a verb that changes something by other ways than a workspace's ports, inside an attempt."""
    refuse_within(attempt_around(os.environ), verb)


def _host(environ: Mapping[str, str]) -> "Host":
    import importlib.util

    from punchlist.workers.settings import Host

    return Host(
        python=sys.executable,
        path=environ.get("PATH") or os.defpath,
        tools=importlib.util.find_spec("mcp") is not None,
        own={"CLAUDE_CONFIG_DIR": environ.get("CLAUDE_CONFIG_DIR") or f"{environ.get('HOME', '')}/.claude"},
    )


def _flows(root: Path, *, start: Path) -> "Flows":
    from punchlist.service.flows import Flows

    return Flows(data=DATA / "flows", root=root, start=start, cache=root / STATE / "cache" / "flows")


def service_of(surroundings: Surroundings, *, actor: str | None = None) -> Service:
    """Return the verbs' context for a person, or for `actor`; within an attempt for its agent, which may only look."""
    attempt = None if actor == "engine" else attempt_around(os.environ)
    if attempt is not None:
        actor = f"agent:{slug(os.environ.get('PUNCHLIST_ROLE', 'unknown'))}/{attempt}"
    return Service(
        root=surroundings.root,
        actor=actor or f"human:{slug(_user(os.environ))}",
        person=actor is None,
        clock=SystemClock(),
        ids=RandomIds(),
        outside=looking(surroundings.outside(), attempt=attempt),
    )


def _user(environ: Mapping[str, str]) -> str:
    if named := environ.get("USER") or environ.get("LOGNAME"):
        return named
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"


def _machine(root: Path) -> "Machine":
    from punchlist.service.doctor import Machine

    return Machine(
        root=root,
        python=sys.version_info[:3],
        runtime_folder=runtime_folder(os.environ),
        run=_first_line,
        can_write=_can_write,
    )


def _first_line(*command: str) -> str | None:
    import subprocess

    try:
        ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return ran.stdout.decode(errors="replace").partition("\n")[0].strip()


def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def _head_branch(folder: Path) -> str | None:
    from punchlist.workspace.heads import head_branch

    return head_branch(folder)


def _detect(folder: Path) -> "Detected":
    """Return the likely commands of a checkout: names of all its files, contents of those that are small text."""
    from punchlist.workspace.detect import detect

    contents: dict[str, str] = {}
    for above, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if each != ".git"]
        for name in names:
            path = Path(above) / name
            contents[path.relative_to(folder).as_posix()] = _small_text(path)
    return detect(contents)


def _small_text(path: Path) -> str:
    try:
        if path.is_symlink() or path.stat().st_size > _READ_LIMIT:
            return ""
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
