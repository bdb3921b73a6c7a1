"""The generated files that an engine writes as it goes, on a real store and disk: at any time those of the record."""

from pathlib import Path
from typing import Any

import pytest

from punchlist.model import commands as cmd, events as ev
from punchlist.model.ids import Digest
from punchlist.model.json import plain
from punchlist.model.policy import Policy
from punchlist.runtime.changes import changes_of
from punchlist.service import showing
from punchlist.service.publishing import Publisher, everything
from punchlist.workspace.files import FolderFiles
from tests.runs import built_in, step, task_of
from tests.simulation.stored import StoredStory


class ShownStory(StoredStory):
    """A story whose files are written after each input."""

    def __init__(self, folder: Path, **story: Any) -> None:
        super().__init__(folder, **story)
        self.refolds = False
        self.files = FolderFiles(folder / "projects")
        publisher = Publisher(self.store, self.files, pending=folder / "pending")
        self.pages = showing.Showing(self.store, publisher, put_off=lambda: None)

    def tell(self, command: cmd.RunCommand, *, actor: str = "human:ann") -> tuple[ev.Event, ...]:
        """Decide on one input, and show what it changed."""
        told = super().tell(command, actor=actor)
        self.pages.follow(changes_of({self.id: self.state}, {self.id: told}))
        return told

    def drift(self) -> set[str]:
        """Return the files that are not as the record has them."""
        with self.store.read() as reader:
            wanted = everything(reader)
        assert set(self.files.listing()) == wanted.keys()
        return {path for path, content in wanted.items() if self.files.read(path) != content}


@pytest.fixture
def story(tmp_path: Path) -> ShownStory:
    task = task_of(step(1), step(2))
    made = ShownStory(tmp_path, flow=built_in("deliver"), task=task, purpose="deliver")
    made.note(ev.TaskApproved(digest=Digest("d" * 64)))
    made.start(policy=Policy(max_parallel=1, review="never"), task=plain(made.task.task))
    return made


def test_the_files_follow_each_transition(story: ShownStory) -> None:
    for _ in range(2):
        story.over(next(iter(story.run.live)))

        assert story.drift() == set()


def test_what_another_process_wrote_meanwhile_is_shown_with_the_next_transition(story: ShownStory) -> None:
    story.note(ev.TaskPaused(paused=True))

    story.over(next(iter(story.run.live)))

    assert story.drift() == set()


def test_a_task_that_is_no_longer_remembered_is_rendered_whole(
    story: ShownStory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showing, "REMEMBERED", 1)
    for shown in ("T8", "T9"):
        story.pages._shown[shown] = story.pages._shown["T1"]  # type: ignore[index]
    story.pages._shown.pop("T1")  # type: ignore[call-overload]

    story.over(next(iter(story.run.live)))

    assert story.drift() == set()
    assert list(story.pages._shown) == ["T1"]
