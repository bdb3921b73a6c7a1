"""The agents' command lines, a scripted model on loopback, and a workspace whose workers they are.

`make agents` installs them. Where they are not installed these tests are skipped, but never where PUNCHLIST_AGENTS says
in which folder they are: there it is a failure.
"""

import os
import platform
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.agents.model_server import ModelServer, serving
from tests.agents.scenario import Rule, read_rules
from tests.installed import Workspace

HERE = Path(__file__).parent
SAID = os.environ.get("PUNCHLIST_AGENTS")  # read here: the fixtures of all tests clean the environment
FOLDER = Path(SAID) if SAID else HERE.parents[1] / ".cache" / "agents"
MACHINES = {"x86_64": "x64", "aarch64": "arm64"}
API_KEY = ("ANTHROPIC_API_KEY", "a-key")
SUBSCRIPTION = ("CLAUDE_CODE_OAUTH_TOKEN", "a-token")
Serve = Callable[[str], ModelServer]


@dataclass(frozen=True)
class Delivering(Workspace):
    """A workspace whose agents talk to the model at `url`."""

    url: str
    login: tuple[str, str] = API_KEY

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of a call: who pays and where the model is are in it, as a person has them."""
        name, value = self.login
        return {**super().environment, name: value, "ANTHROPIC_BASE_URL": self.url}


Make = Callable[..., tuple[Delivering, ModelServer]]


@pytest.fixture(scope="session")
def claude() -> Path:
    """The program of Claude Code."""
    machine = MACHINES.get(platform.machine(), platform.machine())
    program = FOLDER / f"node_modules/@anthropic-ai/claude-code-linux-{machine}/claude"
    if not program.is_file():
        missing = f"Claude Code is not in {FOLDER}: type `make agents`"
        if SAID:
            pytest.fail(missing)
        pytest.skip(missing)
    return program


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a model that answers by a script of this folder's `scripts`."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(serving(rules(name)))


@pytest.fixture
def delivering(claude: Path, tmp_path: Path, serve: Serve) -> Iterator[Make]:
    """Make a workspace of `files` where Claude Code plans, builds and reviews, and the model that it talks to."""
    made: list[Delivering] = []

    def make(
        script: str, files: dict[str, str], *, more: str = "", login: tuple[str, str] = API_KEY
    ) -> tuple[Delivering, ModelServer]:
        server = serve(script)
        workspace = Delivering(tmp_path / "here", tmp_path / "home", server.url, login)
        workspace.home.mkdir()
        made.append(workspace)
        settings = f'[workers.claude]\nargv = ["{claude}"]\n[roles]\nbuilder = "claude"\nqa = "claude"\n{more}'
        workspace.repository({**files, "punchlist.toml": settings})
        workspace.ok("init")
        return workspace, server

    yield make
    for workspace in made:
        workspace.stop()


def rules(name: str) -> tuple[Rule, ...]:
    """Return the rules of a script."""
    return read_rules(HERE / "scripts" / f"{name}.yaml")
