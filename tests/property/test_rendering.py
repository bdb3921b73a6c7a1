"""Files that are rendered only where they changed are, after anything that may happen, those of the whole."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from punchlist.model import commands as cmd, events as ev
from punchlist.model.ids import Digest, TaskId
from punchlist.model.jobs import FailureClass
from punchlist.model.json import plain
from punchlist.model.policy import Policy
from punchlist.model.states import AttemptStatus
from punchlist.render.shown import Files, Shown
from punchlist.runtime.changes import changes_of
from punchlist.service.publishing import attempts_of, events_of
from tests.runs import built_in, checked, step, task_of
from tests.simulation.stored import StoredStory
from tests.simulation.told import ToldWorld

SEEDS = settings.default.max_examples // 5 if settings.default is not None else 20


class ShownStory(StoredStory):
    """A story in the real store, shown after each input as an engine shows it; `stale` is what it rendered last."""

    def __init__(self, folder: Path, **story: Any) -> None:
        self.shown: Shown | None = None
        self.files: Files = {}
        self.stale: Files = {}
        super().__init__(folder, **story)

    def tell(self, command: cmd.RunCommand, *, actor: str = "human:ann") -> tuple[ev.Event, ...]:
        """Show what follows from an input: what is stale, or all when another process wrote meanwhile."""
        told = super().tell(command, actor=actor)
        self.stale = {}
        for change in changes_of({self.id: self.state}, {self.id: told}):
            if self.shown is not None and self.shown.leads_to(change):
                self.stale |= self.shown.after(change)
            else:
                self.shown = self.whole()
                self.stale |= self.shown.files()
        self.files |= self.stale
        return told

    def whole(self) -> Shown:
        """Return the task as the store has it."""
        with self.store.read() as reader:
            state = reader.task(TaskId("T1"))
            assert state is not None
            return Shown(state, attempts=attempts_of(reader, state), events=events_of(reader, "T1"))


class ShownWorld(ToldWorld):
    """A world in which the files are compared with the whole after each input."""

    def tell(self, command: cmd.RunCommand, *, actor: str = "human:ann") -> None:
        super().tell(command, actor=actor)
        assert isinstance(self.story, ShownStory)
        whole = self.story.whole().files()
        assert {name for name in whole if self.story.files.get(name) != whole[name]} == set()
        assert self.story.files.keys() == whole.keys()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_changed_and_the_whole_are_rendered_alike_in_the_world_of(seed: int, tmp_path: Path) -> None:
    ShownWorld(seed, kept=partial(ShownStory, tmp_path)).run(troubles=60)


def test_what_happens_to_one_step_renders_no_other(tmp_path: Path) -> None:
    task = task_of(*(step(number, checked(), needs=()) for number in range(1, 21)))
    story = ShownStory(tmp_path, flow=built_in("deliver"), task=task, purpose="deliver")
    story.refolds = False
    story.note(ev.TaskApproved(digest=Digest("d" * 64)))
    story.start(policy=Policy(max_parallel=1), task=plain(story.task.task))

    story.over(next(iter(story.run.live)), status=AttemptStatus.FAILED, failure=FailureClass.CRITERION, exit_code=1)

    assert {name.rpartition("/")[2] for name in story.stale} == {"01-step-1.md", "01-step-1.json"}
