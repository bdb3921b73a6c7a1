"""What pages and reports say of tasks and steps, as blocks."""

from collections.abc import Iterator, Mapping, Sequence

from punchlist.model.notes import task_notes
from punchlist.model.proofs import ProofRow
from punchlist.model.records import Criterion, Project, Step
from punchlist.model.scores import TaskScore, waived
from punchlist.model.state import AttemptState, StepState, TaskState, VerdictRow
from punchlist.model.verdicts import Finding, Judged, Waiver
from punchlist.render.blocks import Block, Bullets, Code, Heading, Line, Paragraph, Table, Verbatim
from punchlist.render.terms import policy_said
from punchlist.render.words import SHOWS, cost, cost_said, cost_words, duration, judged_on, person, plural, standing

SHORT = 12


def project_page(record: Project, tasks: Sequence[TaskScore]) -> list[Block]:
    """Return the page of a project: its facts, its spec; what is said of its tasks follows."""
    return [
        Heading(1, (record.title,)),
        facts(
            ("Project", (Code(record.id),)), ("Repository", (Code(record.repo),)), ("Base branch", (Code(record.base),))
        ),
        *_section("Set-up", [Bullets(tuple((Code(command),) for command in record.setup))] if record.setup else []),
        *_section("Spec", _text(record.spec)),
        *([Heading(2, ("Tasks",))] if tasks else []),
    ]


def summary_page(record: Project, tasks: Sequence[TaskScore]) -> list[Block]:
    """Return the page that says where a project's tasks stand; what is said of each follows."""
    counts: dict[str, int] = {}
    for task in tasks:
        counts[task.status] = counts.get(task.status, 0) + 1
    said = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    return [
        Heading(1, ("Progress of ", record.title)),
        Paragraph((f"{plural(len(tasks), 'task')}{f': {said}' if said else ''}.",)),
    ]


def board(tasks: Sequence[TaskScore]) -> Table:
    """Return a table of tasks."""
    return Table(
        ("Task", "Title", "Status", "Steps accepted"),
        tuple(
            (
                (Code(task.id),),
                (task.title,),
                (standing(task.status, task.waivers),),
                (f"{task.steps_accepted} of {task.steps_total}",),
            )
            for task in tasks
        ),
    )


def steps_done(state: TaskState) -> str:
    """Return `2 of 3`."""
    return f"{sum(1 for step in state.task.steps if step.status == 'accepted')} of {len(state.task.steps)}"


def task_page(state: TaskState, attempts: Sequence[AttemptState]) -> list[Block]:
    """Return the page of a task; each step has a page of its own."""
    record, own = state.task, state.steps.get("", StepState())
    return [
        Heading(1, (f"{record.id} ", record.title)),
        task_facts(state, attempts),
        *_section("Spec", _text(record.spec)),
        *_section("Acceptance", [*judged(record.acceptance, own, rows=proof_rows(state).get(None, {})), *rounds(own)]),
        *_section("Steps", [_steps(state)] if record.steps else []),
        *_section("Unproven", [_list(state.proof.unproven)] if state.proof and state.proof.unproven else []),
        *_section("Waived", waivers(waived(state))),
    ]


def task_facts(state: TaskState, attempts: Sequence[AttemptState]) -> Table:
    """Return where a task stands, on which branch, by whom approved, at what cost."""
    record = state.task
    return facts(
        ("Status", (standing(record.status, waived(state)), *([" (paused)"] if record.paused else []))),
        ("Because", (state.reason,)),
        ("Project", (Code(record.project),)),
        ("Revision", (str(record.revision),)),
        ("Steps accepted", (steps_done(state),)),
        ("Needs", codes(record.needs)),
        ("Tier", ("" if record.tier == "light" else record.tier,)),
        ("Labels", codes(record.labels)),
        ("Source", (Code(record.source or ""),)),
        ("Policy", codes(policy_said(record.policy))),
        ("Not in force yet", codes([each.key for each in task_notes(record)])),
        ("Branch", (Code(state.branch or ""),)),
        ("Base", (Code(state.base or ""),)),
        ("Commit", (Code(state.tip or ""),)),
        ("Approved by", (person(state.approved_by),)),
        ("Passed over at approval", ("; ".join(state.approved_anyway),)),
        ("Published", (state.published,)),
        ("Cost", (cost_said(attempts),)),
    )


def _steps(state: TaskState) -> Table:
    return Table(
        ("Step", "Title", "Status", "Needs", "Rounds", "Commit"),
        tuple(
            (
                (Code(step.id),),
                (step.title,),
                (standing(step.status, state.steps.get(step.id, StepState()).waivers),),
                codes(step.needs),
                (str(len(state.steps.get(step.id, StepState()).verdicts)),),
                (Code((state.steps.get(step.id, StepState()).commit or "")[:SHORT]),),
            )
            for step in state.task.steps
        ),
    )


def step_page(
    step: Step, seen: StepState, *, rows: Mapping[str, ProofRow], attempts: Sequence[AttemptState]
) -> list[Block]:
    """Return the page of a step; `attempts` are its own, `rows` what the base showed of its checks."""
    return [Heading(1, (f"{step.id} ", step.title)), *step_story(step, seen, rows=rows, attempts=attempts)]


def step_story(
    step: Step, seen: StepState, *, rows: Mapping[str, ProofRow], attempts: Sequence[AttemptState], level: int = 2
) -> list[Block]:
    """Return all there is to say of a step: facts, goal, criteria by round, verdicts, attempts, waivers."""
    return [
        facts(
            ("Status", (standing(step.status, seen.waivers),)),
            ("Because", (seen.reason,)),
            ("Revision and try", (f"{seen.r}.{max(seen.tries - 1, 0)}",)),
            ("Needs", codes(step.needs)),
            ("May change", codes(step.scope.allow)),
            ("May not change", codes(step.scope.deny)),
            ("Unlocked", codes(step.scope.unlock)),
            ("Policy", codes(policy_said(step.policy))),
            ("Builder", (Code(step.builder or ""),)),
            ("Reviewer", (Code(step.qa or ""),)),
            ("Base", (Code(seen.base or ""),)),
            ("Commit", (Code(seen.commit or ""),)),
            ("Cost", (cost_said(attempts),)),
        ),
        *_section("Goal", _text(step.goal), level=level),
        *_section("Criteria", judged(step.criteria, seen, rows=rows), level=level),
        *_section("Messages", [Verbatim(message) for message in seen.messages], level=level),
        *_section("Rounds", list(rounds(seen, level=level + 1)), level=level),
        *_section("Attempts", [attempts_table(attempts)] if attempts else [], level=level),
        *_section("Waived", waivers(seen.waivers), level=level),
    ]


def judged(criteria: Sequence[Criterion], seen: StepState, *, rows: Mapping[str, ProofRow]) -> list[Block]:
    """Return the criteria word for word, and what each round said of them."""
    if not criteria:
        return []
    matrix = Table(
        ("Criterion", "On the base", *(f"{row.r}.{row.s}" for row in seen.verdicts)),
        tuple(
            (
                (Code(each.id),),
                (SHOWS[rows[each.id].shows] if each.id in rows else "",),
                *((_cell(row, each.id),) for row in seen.verdicts),
            )
            for each in criteria
        ),
    )
    return [Bullets(tuple(_criterion(each) for each in criteria)), matrix]


def _criterion(each: Criterion) -> Line:
    reviewed = "reviewed" if each.review or not each.check else ""
    more = [*(["asks for the network"] if each.network else []), *([reviewed] if reviewed else [])]
    judge: Line = (
        ("checked by ", Code(each.check), "".join(f", {word}" for word in more)) if each.check else (reviewed,)
    )
    return (Code(each.id), " ", each.text, " (", *judge, ")")


def _cell(row: VerdictRow, criterion: str) -> str:
    for each in row.verdict.criteria:
        if each.id == criterion:
            by = f"{each.verdict} by {', '.join(each.by)}" if each.by else "not judged"
            return f"{by}{' (flaky)' if each.flaky else ''}"
    return ""


def rounds(seen: StepState, *, level: int = 3) -> Iterator[Block]:
    """Yield each round's verdict with its findings, evidence and output."""
    for row in seen.verdicts:
        verdict = row.verdict
        yield Heading(level, (f"Round {row.r}.{row.s}: {verdict.result}",))
        yield facts(
            ("Judged at", (row.at,)),
            (judged_on(verdict)[0].capitalize(), (Code(verdict.tree),)),
            ("Attempt", (Code(verdict.attempt or ""),)),
            ("Reason", (Code(verdict.reason_code),)),
            ("Next", (verdict.next_action,)),
            ("Not enforced", ("; ".join(verdict.unenforced),)),
        )
        evidence = [_evidence(each) for each in verdict.criteria if each.evidence]
        if evidence:
            yield Bullets(tuple(evidence))
        for finding in verdict.findings:
            yield from _finding(finding)


def _evidence(each: Judged) -> Line:
    return (Code(each.id), f" {each.verdict} on ", *codes(each.evidence))


def _finding(found: Finding) -> Iterator[Block]:
    head, _, rest = found.text.partition("\n")
    about: Line = (" on ", Code(found.criterion)) if found.criterion else ()
    place: Line = (" at ", Code(found.place)) if found.place else ()
    name = f"{found.id or ''} ({found.kind}, {found.state})"
    yield Bullets(((name, *about, *place, ": ", head),))
    for text in (rest, found.output):
        if text:
            yield Verbatim(text)


def attempts_table(attempts: Sequence[AttemptState]) -> Table:
    """Return attempts with exit codes, durations and cost."""
    return Table(
        ("Attempt", "Round", "Role", "Worker", "About", "Status", "Exit", "Took", "Cost"),
        tuple(_attempt(each) for each in attempts),
    )


def _attempt(each: AttemptState) -> tuple[Line, ...]:
    outcome = each.outcome
    known = outcome is not None and outcome.usage is not None
    return (
        (Code(each.id),),
        (f"{each.r}.{each.s}",),
        (each.role.value,),
        (each.worker or "",),
        (each.subject,),
        (status_said(each),),
        (exit_said(each),),
        (duration(each.started_at, each.ended_at),),
        (cost_words(cost([each])) if known else "",),
    )


def status_said(each: AttemptState) -> str:
    """Return an attempt's status, with the class of its failure."""
    return f"{each.status} ({each.outcome.failure})" if each.outcome and each.outcome.failure else each.status


def exit_said(each: AttemptState) -> str:
    """Return the exit code or the signal that an attempt ended with, if it did."""
    if each.outcome is None:
        return ""
    if each.outcome.signal is not None:
        return f"signal {each.outcome.signal}"
    return "" if each.outcome.exit_code is None else str(each.outcome.exit_code)


def waivers(given: Sequence[Waiver]) -> list[Block]:
    """Return what was waived, by whom and why."""
    if not given:
        return []
    return [
        Bullets(
            tuple((Code(each.finding), *_about(each), f" waived by {person(each.by)}: {each.reason}") for each in given)
        )
    ]


def _about(waiver: Waiver) -> Line:
    return (" (", Code(waiver.criterion), ")") if waiver.criterion else ()


def proof_rows(state: TaskState) -> dict[str | None, dict[str, ProofRow]]:
    """Return what the base showed of each step's checks; those of the task itself are under None."""
    rows: dict[str | None, dict[str, ProofRow]] = {}
    for row in state.proof.rows if state.proof else ():
        rows.setdefault(row.step, {})[row.id] = row
    return rows


def facts(*pairs: tuple[str, Line]) -> Table:
    """Return facts as a table of two columns; those that are empty are left out."""
    return Table(
        ("Field", "Value"), tuple(((name,), line) for name, line in pairs if any(_said(piece) for piece in line))
    )


def _said(piece: str | Code) -> bool:
    return bool(piece.text if isinstance(piece, Code) else piece)


def codes(names: Sequence[str]) -> Line:
    """Return names as code, with commas between."""
    return tuple(
        piece for index, name in enumerate(names) for piece in ((", ", Code(name)) if index else (Code(name),))
    )


def _list(lines: Sequence[str]) -> Bullets:
    return Bullets(tuple((each,) for each in lines))


def _text(text: str) -> list[Block]:
    return [Verbatim(text, "markdown")] if text.strip() else []


def _section(title: str, blocks: Sequence[Block], *, level: int = 2) -> list[Block]:
    return [Heading(level, (title,)), *blocks] if blocks else []
