"""Pages: what is shown of the rarer things, and lines that begin like something else."""

import msgspec
import pytest
from immutables import Map

from punchlist.model.events import AttemptEnded
from punchlist.model.ids import AttemptId
from punchlist.model.jobs import FailureClass, Outcome, Role
from punchlist.model.states import AttemptStatus
from punchlist.render.blocks import Bullets, Code, Heading, Paragraph, Table, Verbatim
from punchlist.render.markdown import code, fence, line, markdown
from punchlist.render.pages import attempts_table, judged, rounds, task_page
from punchlist.render.told import told
from tests.golden.render.story import STATE, STEP_1, attempt

replace = msgspec.structs.replace


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("- not a list", "\\- not a list"),
        ("+1", "\\+1"),
        ("=== ", "\\==="),
        ("1. First", "1\\. First"),
        ("12) x", "12\\) x"),
        ("1.5 is fine", "1.5 is fine"),
        ("# no", "\\# no"),
        ("out_of_scope stays readable", "out_of_scope stays readable"),
        ("  blanks \n\t go  ", "blanks go"),
    ],
)
def test_a_line_cannot_begin_another_kind_of_block(text: str, shown: str) -> None:
    assert line((text,)) == shown


def test_two_code_spans_do_not_run_into_each_other() -> None:
    assert line((Code("a"), Code("b`c"), Code(""))) == "`a` ``b`c``"


def test_code_that_begins_with_a_backtick_is_padded() -> None:
    assert code("`x`") == "`` `x` ``"


def test_a_fence_is_longer_than_any_in_it() -> None:
    assert fence("```\nx\n````", "sh") == "`````sh\n```\nx\n````\n`````"


def test_every_kind_of_block_has_its_form() -> None:
    text = markdown(
        [
            Heading(2, ("T",)),
            Paragraph(("p",)),
            Bullets((("a",), ("b",))),
            Table(("h",), (((Code("x|y"),),),)),
            Verbatim("v"),
        ]
    )

    assert text == "## T\n\np\n\n- a\n- b\n\n| h |\n| --- |\n| `x\\|y` |\n\n```\nv\n```\n"


def test_a_criterion_that_came_after_a_round_has_no_cell_in_it() -> None:
    seen = STATE.steps["T12.1"]
    later = replace(STEP_1.criteria[0], id="AC-9")

    (_, matrix) = judged((later,), seen, rows={})

    assert isinstance(matrix, Table)
    assert matrix.rows == (((Code("AC-9"),), ("",), ("",), ("",)),)


def test_a_round_without_evidence_shows_none() -> None:
    row = STATE.steps["T12.1"].verdicts[0]
    bare = replace(row, verdict=replace(row.verdict, criteria=(), findings=()))

    blocks = list(rounds(replace(STATE.steps["T12.1"], verdicts=(bare,))))

    assert [type(block) for block in blocks] == [Heading, Table]


def test_an_attempt_without_an_exit_code_shows_none() -> None:
    ended = Outcome(attempt=AttemptId("A1"), status=AttemptStatus.LOST, failure=FailureClass.LOST)

    table = attempts_table([attempt("A1", Role.CHECK, outcome=ended)])

    assert table.rows[0][5:7] == (("lost (lost)",), ("",))


def test_a_paused_task_says_so() -> None:
    paused = replace(STATE, task=replace(STATE.task, paused=True), steps=Map())

    assert "| Status | waiting (paused) |" in markdown(task_page(paused, []))


def test_the_end_of_an_attempt_is_told() -> None:
    red = Outcome(
        attempt=AttemptId("A1"),
        status=AttemptStatus.FAILED,
        failure=FailureClass.WORKER,
        exit_code=3,
        reason="it crashed",
    )

    assert told(AttemptEnded(outcome=red)) == "A1 failed (worker), exit 3: it crashed"
    assert (
        told(AttemptEnded(outcome=Outcome(attempt=AttemptId("A2"), status=AttemptStatus.SUCCEEDED))) == "A2 succeeded"
    )
