"""Views of tasks and steps."""

from collections.abc import Iterator, Mapping, Sequence

from punchlist.cli.tables import columns, status, strong, table
from punchlist.cli.views.seen import (
    CriterionSeen,
    GateSeen,
    ProofRowSeen,
    RemarkSeen,
    RunSeen,
    StepSeen,
    TaskLineSeen,
    TaskSeen,
    VerdictSeen,
    seen,
)
from punchlist.model.json import Json, convert
from punchlist.render.terms import place_said, rules_said, scope_said, staff_said

Answer = Mapping[str, Json]
_SHOWS = {"goal": "must start failing", "guard": "must stay passing", "cannot_run": "cannot run here"}
_OPEN = ("draft", "ready")
"""States of a task whose work has not begun: what is agreed of it is of interest still."""
_SHORT = 8
_WIDE = 600
_LAST = 3
"""How many of the last lines of a check are shown."""

OnBase = Mapping[str | None, Mapping[str, ProofRowSeen]]
_NOTHING: OnBase = {}


def tasks(answer: Answer) -> str:
    """Return a line a task."""
    rows = [
        [each.id, each.project, _state(each), f"{each.steps_accepted}/{each.steps_total}", _title(each)]
        for each in seen(list[TaskLineSeen], answer["tasks"])
    ]
    return (
        table(["task", "project", "status", "steps", "title"], rows)
        or "No tasks: punchlist task create --file task.yaml"
    )


def _state(line: TaskLineSeen) -> str:
    paused = ", paused" if line.paused else ""
    return f"{line.status}{paused}{skipped(line.steps_skipped)}"


def skipped(steps: int) -> str:
    """Return in words how many steps of a task were skipped, to stand behind its state."""
    return f", {steps} skipped" if steps else ""


def _title(line: TaskLineSeen) -> str:
    return f"{line.title} - waits for {line.waits_for}" if line.waits_for else line.title


def task(answer: Answer) -> str:
    """Return a task with its steps and criteria in full, and what to type next."""
    return "\n".join(
        [*_task_lines(seen(TaskSeen, answer["task"])), "", f"Next: {_next(seen(TaskSeen, answer['task']))}"]
    )


def created_task(answer: Answer) -> str:
    """Return a draft after it was made or changed."""
    return task(answer)


def moved_task(answer: Answer) -> str:
    """Return what became of a task, in a line or two."""
    record = seen(TaskSeen, answer["task"])
    run = seen(RunSeen, answer["run"]) if "run" in answer else None
    if run is not None and run.status == "pending":
        started = f"{run.id} was started for {record.id}: {record.title}"
        return f"{started}\nNext: punchlist status, or punchlist why {record.id}"
    return f"{record.id} is {status(record.status)}: {record.title}\nNext: {_next(record)}"


def waived(answer: Answer) -> str:
    """Return what became of a task of which a finding was waived, and what of it blocks still."""
    return "\n".join(each for each in (moved_task(answer), _left(answer)) if each)


def _left(answer: Answer) -> str:
    left = seen(list[str], answer.get("left", []))
    return f"not waived, and in the way: {', '.join(left)}" if left else ""


def approved(answer: Answer) -> str:
    """Return what a decision did: to a task with what each check shows, or to a gate."""
    if "gate" in answer and "task" not in answer:
        gate = seen(GateSeen, answer["gate"])
        if left := _left(answer):
            return f"{gate.id} ({gate.kind}, {gate.about}) is still {gate.status}: {left}"
        return f"{gate.id} ({gate.kind}, {gate.about}) is {gate.status}: {gate.choice}"
    record = seen(TaskSeen, answer["task"])
    return "\n".join([*_proof_lines(record), *_terms(record), moved_task(answer)])


def planned(answer: Answer) -> str:
    """Return the drafts of a plan."""
    names = [each.id for each in seen(list[TaskSeen], answer["tasks"]) if each.status == "draft"]
    commands = [f"punchlist approve {name} && punchlist task start {name} --follow" for name in names]
    return "\n\n".join(
        [drafts(answer), *_faults(answer), *(["Next: " + "\n      ".join(commands)] if commands else [])]
    )


def _faults(answer: Answer) -> Iterator[str]:
    """Yield what is wrong with a plan: what its agent did not mend, or what rules left out."""
    remarks = seen(list[RemarkSeen], answer.get("critique", []))
    if remarks:
        told = [f"  {each.where}: {each.text}" for each in remarks[:_SHORT]]
        left = [f"  and {len(remarks) - _SHORT} more: add --json"] if len(remarks) > _SHORT else []
        yield "\n".join(["Look at this before you approve it:", *told, *left])


def drafts(answer: Answer) -> str:
    """Return tasks in full, one below the other."""
    return "\n\n".join("\n".join(_task_lines(each)) for each in seen(list[TaskSeen], answer["tasks"]))


def proof(answer: Answer) -> str:
    """Return what each check of a task shows on the base."""
    return "\n".join(_proof_lines(seen(TaskSeen, answer["task"])))


def _task_lines(record: TaskSeen) -> Iterator[str]:
    standing = record.standing if record.standing not in ("", record.status) else status(record.status)
    yield f"{strong(record.id)}  {strong(record.title)}"
    needs = f" · needs {', '.join(record.needs)}" if record.needs else ""
    branch = f" · branch {record.branch}" if record.branch and any(step.commit for step in record.steps) else ""
    paused = ", paused" if record.paused else ""
    yield f"{standing}{paused} · project {record.project} · version {record.version}{needs}{branch}"
    if told := _told(record):
        yield told
    if record.reason and record.status != "accepted":
        yield f"because: {record.reason}"
    if record.status in _OPEN:
        yield from _terms(record)
    base = _on_base(record)
    for step in record.steps:
        yield ""
        yield from step_lines(step, base=base, rules=_rules(record, step.id))
    if record.acceptance:
        yield ""
        yield "The whole task:"
        yield from criteria_lines(record.acceptance, record.verdict, base=base.get(None, {}))
    if record.notes:
        yield ""
        yield from (f"{each.key} is {each.note}" for each in record.notes)
    yield from _unproven(record)


def _told(record: TaskSeen) -> str:
    """Return in a line what a task says of itself for people: tier, labels, source."""
    tier = f"tier {record.tier}" if record.tier != "light" else ""
    labels = f"labels {', '.join(record.labels)}" if record.labels else ""
    source = f"source {record.source}" if record.source else ""
    return " · ".join(each for each in (tier, labels, source) if each)


def _terms(record: TaskSeen) -> Iterator[str]:
    """Yield where the work of a task goes, and the rules that it sets itself."""
    if record.terms is not None:
        place = {"repo": record.terms.repo, "base": record.terms.base}
        yield f"goes to {place_said(place, most=_WIDE)}"
    if rules := _rules(record, record.id):
        yield f"policy of its own: {rules}"


def _rules(record: TaskSeen, name: str) -> str:
    told = record.terms.rules if record.terms is not None else ()
    return rules_said(each for each in told if each["of"] == name)


def _on_base(record: TaskSeen) -> OnBase:
    """Return what the checks of a task that has not begun showed on the base, by step and criterion."""
    found: dict[str | None, dict[str, ProofRowSeen]] = {}
    if record.proof is not None and record.status in _OPEN:
        for row in record.proof.rows:
            found.setdefault(row.step, {})[row.id] = row
    return found


def _unproven(record: TaskSeen) -> Iterator[str]:
    if record.approved_anyway:
        yield ""
        yield f"Approved all the same by {record.approved_by}, passing over:"
        yield from (f"  {each}" for each in record.approved_anyway)
    if record.status == "draft" and (unknown := list(_not_shown(record))):
        yield ""
        yield f"Not run on the base yet: {', '.join(unknown)}"
    if record.status == "draft" and record.proof and record.proof.version == record.version and record.proof.unproven:
        yield ""
        yield "Unproven:"
        yield from (f"  {each}" for each in record.proof.unproven)


def _not_shown(record: TaskSeen) -> Iterator[str]:
    """Yield the checks of which nobody knows what the base shows: they are new, or have changed."""
    for step in record.steps:
        if step.status != "skipped":
            yield from (f"{step.id} {each.id}" for each in step.criteria if each.check and not each.shows)
    yield from (f"the task's {each.id}" for each in record.acceptance if each.check and not each.shows)


def step_lines(step: StepSeen, *, base: OnBase = _NOTHING, rules: str = "") -> Iterator[str]:
    """Yield a step with its bounds and criteria, and what the base showed of them where that is of interest still."""
    commit = f" · {step.commit[:_SHORT]}" if step.commit else ""
    needs = f" · needs {', '.join(step.needs)}" if step.needs else ""
    standing = step.standing if step.standing not in ("", step.status) else status(step.status)
    yield f"{strong(step.id)}  {step.title} · {standing}{commit}{needs}"
    if step.reason and step.status != "accepted":
        yield f"  because: {step.reason}"
    if step.goal:
        yield f"  {step.goal.splitlines()[0]}"
    bounds = [
        scope_said(step.scope),
        staff_said({"builder": step.builder, "qa": step.qa}),
        f"policy of its own: {rules}" if rules else "",
    ]
    yield from (f"  {each}" for each in bounds if each)
    yield from criteria_lines(step.criteria, step.verdict, base=base.get(step.id, {}))


def criteria_lines(
    criteria: Sequence[CriterionSeen], verdict: VerdictSeen | None, *, base: Mapping[str, ProofRowSeen]
) -> Iterator[str]:
    """Yield criteria, each with its last verdict, and how it is proved."""
    judged = {each.id: each for each in verdict.criteria} if verdict else {}
    for each in criteria:
        mark = judged.get(each.id)
        yield f"  {each.id}  {f'{status(mark.verdict)}  ' if mark and mark.verdict else ''}{each.text}"
        yield f"        {_how(each)}"
        if each.id in base:
            yield from (f"          {line}" for line in _shown_by(base[each.id]))
        if mark and mark.finding:
            yield f"        → {mark.finding}"


def _how(criterion: CriterionSeen) -> str:
    if criterion.check is None:
        return "judged by the reviewer"
    shows = f"  ({_SHOWS.get(criterion.shows, criterion.shows)})" if criterion.shows else ""
    network = "  (asks for the network)" if criterion.network else ""
    return f"$ {_first(criterion.check)}{network}{shows}"


def _first(command: str) -> str:
    first, *more = command.splitlines() or [""]
    return f"{first} …" if more else first


def _shown_by(row: ProofRowSeen) -> Iterator[str]:
    """Yield why a check shows nothing, and the last lines that it wrote; one that passed needs no more words."""
    if row.problem:
        yield row.problem
    if row.shows != "guard":
        yield from (f"| {line}" for line in row.tail.rstrip().splitlines()[-_LAST:])


def _proof_lines(record: TaskSeen) -> Iterator[str]:
    proved = record.proof.rows if record.proof is not None else ()
    rows = [
        [each.step or record.id, each.id, _SHOWS.get(each.shows, each.shows), _first(each.command)] for each in proved
    ]
    if rows:
        for line, row in zip(columns(rows).splitlines(), proved, strict=True):
            yield line
            yield from (f"    {each}" for each in _shown_by(row))


def _next(record: TaskSeen) -> str:
    match record.status:
        case "draft":
            return f"punchlist approve {record.id}"
        case "ready":
            return f"punchlist task start {record.id} --follow"
        case "running" | "waiting":
            return f"punchlist resume {record.id}" if record.paused else f"punchlist why {record.id}"
        case "accepted":
            return f"punchlist report {record.id}" + (f", or git log {record.branch}" if record.branch else "")
        case "failed":
            return f"punchlist retry {record.id}"
        case _:
            return f"punchlist task reopen {record.id}"


def steps(answer: Answer) -> str:
    """Return a line a step."""
    rows = [
        [each.id, each.status, (each.commit or "")[:_SHORT], ", ".join(each.needs), each.title]
        for each in seen(list[StepSeen], answer["steps"])
    ]
    return (
        table(["step", "status", "commit", "needs", "title"], rows) or "No steps: punchlist step add T --file step.yaml"
    )


def step(answer: Answer) -> str:
    """Return a step with its attempts and verdicts, round by round."""
    record = seen(StepSeen, answer["step"])
    rows = [
        [
            each.id, f"{each.r}.{each.s}", each.role, each.worker or each.subject, each.status,
            f"{each.failure_class}: {each.reason}" if each.failure_class else each.reason,
        ]
        for each in record.attempts
    ]  # fmt: skip
    blocks = ["\n".join([*step_lines(record)])]
    if rows:
        blocks.append(table(["attempt", "r.s", "role", "by", "status", "reason"], rows))
    blocks += ["\n".join(verdict_lines(each)) for each in record.verdicts]
    return "\n\n".join(blocks)


def verdict_lines(verdict: VerdictSeen) -> Iterator[str]:
    """Yield a verdict with its criteria and findings."""
    yield f"verdict on {verdict.r}.{verdict.s}: {status(verdict.result)}"
    for each in verdict.criteria:
        by = f"by {', '.join(each.by)}" if each.by else "judged by nobody"
        yield f"  {each.id}  {status(each.verdict or '')}  {by}{'  (flaky)' if each.flaky else ''}"
    for finding in verdict.findings:
        about = f", {finding.criterion}" if finding.criterion else ""
        yield f"  {finding.id or '-'} {finding.state}, {finding.kind}{about}: {finding.text}"
    if verdict.unenforced:
        yield f"  not enforced here: {', '.join(verdict.unenforced)}"


def branch_of(answer: Answer) -> str | None:
    """Return the branch of a task, once it has one."""
    return seen(TaskSeen, answer["task"]).branch


def ids_of(answer: Answer, noun: str) -> list[str]:
    """Return the ids of the things under `noun`."""
    rows = convert(answer[noun], list[dict[str, Json]])
    return [str(row["id"]) for row in rows]
