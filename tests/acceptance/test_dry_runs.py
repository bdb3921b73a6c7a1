"""`run --dry-run` says the whole plan, starts no process and writes no file: watched from inside and from outside."""

import json
import subprocess
import sys

from tests.installed import Workspace
from tests.workspaces import state_of

WATCHED = """
import json, os, sys
seen = []
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
EVENTS = ("subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "os.mkdir", "os.rename",
          "os.remove", "os.rmdir", "os.truncate", "os.link", "os.symlink", "os.chmod", "os.utime", "shutil.", "socket.")

def watch(event, arguments):
    if event.startswith(EVENTS) or (event == "open" and arguments[2] & WRITES and arguments[0] != os.devnull):
        seen.append([event, str(arguments[0])])

sys.addaudithook(watch)
from punchlist.cli.main import main
code = main(sys.argv[1:])
sys.stderr.write(json.dumps(seen))
sys.exit(code)
"""
FLOW = """\
punchlist: 1
flow: release
inputs: {parts: {type: list, default: [api, "web ui"]}}
nodes:
  tests: {run: make test}
  build:
    for_each: ${{ inputs.parts }}
    as: part
    nodes: {make: {run: "make ${{ part }}"}}
  notes: {agent: claude, prompt: "Say what is new in ${{ run.flow }}: ${{ nodes.tests.output.stdout }}"}
  ask: {gate: Ship it?}
"""
PLAN = """\
tests          run
    $ make test
build          for_each  2 items
build[0].make  run
    $ make api
build[1].make  run
    $ make 'web ui'
notes          agent
    by claude
    | Say what is new in release: ${{ nodes.tests.output.stdout }}
    only the run can tell: nodes.tests.output.stdout
ask            gate
    | Ship it?
"""


def test_a_dry_run_starts_nothing_and_writes_nothing(workspace: Workspace) -> None:
    workspace.write("release.yaml", FLOW)
    before = state_of(workspace.root)

    done = subprocess.run(
        [sys.executable, "-B", "-c", WATCHED, "run", "release.yaml", "--dry-run"],
        cwd=workspace.root,
        env=workspace.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, PLAN)
    assert json.loads(done.stderr) == []
    assert state_of(workspace.root) == before
    assert workspace.engine() is None


def test_what_watches_sees_a_run_that_is_no_dry_one(workspace: Workspace) -> None:
    workspace.write("release.yaml", FLOW.partition("  notes:")[0])

    done = subprocess.run(
        [sys.executable, "-B", "-c", WATCHED, "run", "release.yaml"],
        cwd=workspace.root,
        env=workspace.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "subprocess.Popen" in {event for event, _ in json.loads(done.stderr)}
