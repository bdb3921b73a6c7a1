"""A bug of this program ends the run that it shows in, with a record of it, and no other: the engine goes on."""

import asyncio
import logging
from pathlib import Path

import msgspec
import pytest

from punchlist.model.ids import RunId
from punchlist.model.jobs import Job, Outcome, ProcessJob
from punchlist.model.records import Project
from punchlist.service import runs
from tests.engines import Working, engine_of
from tests.services import is_clean, workspace

FLOW = """\
punchlist: 1
flow: {name}
nodes:
  first: {{run: "echo '{{}}' # {name}", output: {{json: stdout}}}}
  second: {{run: "true", needs: [first]}}
"""


class Forgetful(Working):
    """A performer with a bug: it does not hand on what the commands of one flow printed."""

    async def perform(self, job: Job, project: Project | None) -> Outcome:
        """Do the job, and forget."""
        outcome = await super().perform(job, project)
        if isinstance(job, ProcessJob) and "forgotten" in " ".join(job.argv):
            return msgspec.structs.replace(outcome, result={"exit_code": 0})
        return outcome


@pytest.mark.parametrize("order", [("forgotten", "kept"), ("kept", "forgotten")])
def test_a_bug_fails_the_run_that_it_shows_in_and_the_engine_goes_on(
    order: tuple[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    service = workspace(tmp_path / "w")
    for name in order:
        (service.root / f"{name}.yaml").write_text(FLOW.format(name=name), encoding="utf-8")
        runs.run(service, str(service.root / f"{name}.yaml"))

    with caplog.at_level(logging.ERROR, logger="punchlist.engine"):
        served = asyncio.run(engine_of(service, Forgetful(service)).serve())

    assert served
    with service.store.read() as reader:
        ended = {row.flow: (row.status.value, row.error) for row in reader.runs()}
        paths = {node.path: node.status.value for node in reader.nodes(RunId(f"R{order.index('forgotten') + 1}"))}
    assert ended["kept"] == ("succeeded", "")
    assert ended["forgotten"][0] == "failed"
    assert "a bug of punchlist: KeyError('answer')" in ended["forgotten"][1]
    assert paths == {"": "failed", "first": "cancelled", "second": "unreached"}
    assert "KeyError: 'answer'" in caplog.text
    assert is_clean(service)
