"""What `log verify` demands of an accepted commit: the tree, the event and the verdict that the record has of it."""

from types import SimpleNamespace
from typing import Any

import pytest

from punchlist.model import events as ev
from punchlist.model.jobs import Role
from punchlist.model.verdicts import verdict_digest
from punchlist.service import verification
from tests.runs import Story, deliver


@pytest.fixture
def story() -> Story:
    """A story whose step was rejected once and accepted then."""
    told = deliver()
    told.build("t0")
    told.red()
    told.build("t1")
    told.green()
    return told


def text_of(story: Story) -> str:
    return f"tree t1\n\n{story.job(story.attempt(Role.ENGINE).id).message}"


def problems(story: Story, text: str | None) -> list[str]:
    """Return what is wrong with a commit of this text that was accepted."""
    (planned,) = [each for each in story.events if isinstance(each.fact, ev.IntegrationPlanned)]
    story.commit()
    (fact,) = story.facts(ev.StepIntegrated)
    service: Any = SimpleNamespace(outside=SimpleNamespace(commit_text=lambda *_: text))
    return list(verification._commit(service, story.task, fact=fact, planned=planned))


def test_the_commit_of_a_step_names_the_verdict_that_let_it_through(story: Story) -> None:
    text = text_of(story)

    assert f"Punchlist-Verdict: pass {verdict_digest(story.told().verdicts[-1].verdict)}\n" in text
    assert problems(story, text) == []


def test_a_commit_that_names_another_verdict_is_found(story: Story) -> None:
    rejected, passed = (verdict_digest(row.verdict) for row in story.told().verdicts)
    text = text_of(story).replace(passed, rejected)

    assert problems(story, text) == [
        "commit commit-of-T1 of T1.1 names no passing verdict of its tree that was recorded"
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda text: None, "is not in the repository"),
        (lambda text: text.replace("tree t1", "tree t0"), "does not hold the accepted tree t1"),
        (lambda text: text.replace("Punchlist-Event", "Event"), "lacks the trailer Punchlist-Event: "),
    ],
)
def test_a_commit_that_is_not_the_accepted_one_is_found(change: Any, problem: str, story: Story) -> None:
    (found,) = problems(story, change(text_of(story)))

    assert problem in found
