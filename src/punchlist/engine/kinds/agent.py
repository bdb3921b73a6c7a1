"""`agent`: an attempt by a worker, as builder of a step, planner of a project, or for the flow's own ends."""

import msgspec

from punchlist.engine import checking
from punchlist.engine.answering import decide_attempt
from punchlist.engine.checking import SETUP, exam_job, setup_job
from punchlist.engine.criticism import asked_of, faults, first_plan, plan_exam, plan_in_hand
from punchlist.engine.given import artifacts_of, listed_of, secrets_of, values_of
from punchlist.engine.limits import limits_of, of_agents
from punchlist.engine.packs import plan_request, step_pack
from punchlist.engine.place import Place
from punchlist.engine.progress import end
from punchlist.engine.retry import after_failure, again, bad, sent_back
from punchlist.engine.scope import resolve, text_of
from punchlist.engine.turn import Here, Kind
from punchlist.errors import DefinitionError
from punchlist.flow.outputs import output_problems, output_words
from punchlist.model.flow import AgentNode
from punchlist.model.ids import NodePath, StepId, TaskId
from punchlist.model.jobs import FailureClass, Folder, Job, Outcome, ProcessJob, Role
from punchlist.model.json import Json, convert, plain
from punchlist.model.results import Result
from punchlist.model.state import AttemptState, NodeState
from punchlist.model.states import AttemptStatus, NodeStatus
from punchlist.model.verdicts import Verdict

_ROLES = {"builder": Role.BUILDER, "planner": Role.PLANNER, "node": Role.NODE}


def _begin(here: Here) -> None:
    step = _built_step(here) if here.defined(AgentNode).role == "builder" else None
    if step is not None and here.project.setup:
        here.queue(Role.SETUP, subject=SETUP, step=step)
    else:
        _queue(here)


def _built_step(here: Here) -> StepId:
    if not here.delivers:
        raise DefinitionError("a builder works in a run that delivers its task; this one does not", where=here.path)
    return here.own_step


def _queue(here: Here) -> None:
    node = here.defined(AgentNode)
    here.queue(
        _ROLES[node.role],
        worker=text_of(here, node.agent, what="the worker's name"),
        step=here.own_step if node.role == "builder" else None,
        session=_session(here) if node.session == "keep" else None,
    )


def _session(here: Here) -> str | None:
    """Return the session that the same node had in the round before; None when it cannot be gone on with."""
    before = _before(here)
    for each in reversed(before.attempts if before is not None else ()):
        outcome = here.run.attempts[each].outcome
        if outcome is not None and outcome.session:
            return None if outcome.session_over else outcome.session
    return None


def _before(here: Here) -> NodeState | None:
    parent = here.run.nodes[here.node.parent] if here.node.parent is not None else None
    if parent is None or parent.kind != "round" or parent.index == 0:
        return None
    name = here.path.removeprefix(f"{parent.path}.")
    return here.run.nodes.get(NodePath(f"{parent.parent}[{parent.index - 1}].{name}"))


def _attempt_over(here: Here, attempt: AttemptState) -> None:
    outcome = attempt.outcome
    assert outcome is not None
    if _is_of_exam(here, attempt):
        if checking.attempt_over(here, attempt, instead=lambda here, _: _criticise(here)):
            _examine_plan(here)
    elif attempt.role is Role.SETUP and (outcome.status is AttemptStatus.SUCCEEDED or _is_for_builder(here, outcome)):
        _queue(here)
    elif outcome.status is AttemptStatus.SUCCEEDED and first_plan(here) is attempt:
        _examine_plan(here)
    elif outcome.status is AttemptStatus.SUCCEEDED:
        end(here, NodeStatus.SUCCEEDED, output=outcome.result)
    elif attempt.role is Role.PLANNER and (plan := plan_in_hand(here)) is not None:
        after_failure(here, attempt, instead=lambda here, _: end(here, NodeStatus.SUCCEEDED, output=plan))
    else:
        after_failure(here, attempt)


def _is_of_exam(place: Place, attempt: AttemptState) -> bool:
    """Say whether an attempt belongs to the exam of a plan: a check, or the set-up before it."""
    return place.defined(AgentNode).role == "planner" and attempt.role in {Role.SETUP, Role.CHECK}


def _examine_plan(here: Here) -> None:
    """Run the checks of the first plan on the base, then criticise it."""
    if checking.advance(here, plan_exam(here)) is not None:
        _criticise(here)


def _criticise(here: Here) -> None:
    """Send the first plan back if it has faults, by what is known by now; else it is the plan."""
    first = first_plan(here)
    assert first is not None
    if faults(here):
        again(here, first)
    else:
        end(here, NodeStatus.SUCCEEDED, output=plan_in_hand(here))


def _is_for_builder(here: Here, outcome: Outcome) -> bool:
    """Say whether a red set-up is what the builder's own work led to: then it is the builder's to mend."""
    return here.tries.count > 0 and outcome.failure is FailureClass.WORKER and outcome.exit_code is not None


def _examine(place: Place, outcome: Outcome) -> Outcome:
    """Take a success without what was asked for as bad output: a builder's tree, a result, the declared output."""
    node = place.defined(AgentNode)
    if node.role == "builder":
        return _examine_built(outcome)
    problems = output_problems(node.output, outcome.result) if node.output is not None else ()
    return _bad(outcome, "; ".join(problems)) if problems else outcome


def _examine_built(outcome: Outcome) -> Outcome:
    try:
        convert(outcome.result, Result | None)
    except msgspec.ValidationError as error:
        return _bad(outcome, f"its result is not one: {error}")
    return outcome if outcome.snapshot is not None else _bad(outcome, "no tree was recorded")


def _bad(outcome: Outcome, problem: str) -> Outcome:
    return msgspec.structs.replace(bad(outcome, (problem,)), result=None)


def _job(place: Place, attempt: AttemptState) -> Job:
    if _is_of_exam(place, attempt):
        return exam_job(place, attempt, exam=plan_exam(place))
    if attempt.role is Role.SETUP:
        return setup_job(place, attempt, folder=_folder(place, attempt))
    return ProcessJob(
        attempt=attempt.id,
        run=attempt.run,
        role=attempt.role,
        folder=_folder(place, attempt),
        limits=limits_of(place, policy=of_agents(place.policy)),
        worker=attempt.worker,
        pack=_pack(place, attempt),
        prompt=_prompt(place),
        session=attempt.session,
        sent_back=sent_back(place, attempt),
        env={
            **listed_of(place),
            **values_of(place),
            "PUNCHLIST_ROUND": str(attempt.s),
            "PUNCHLIST_STEP": attempt.step or "",
        },
        artifacts=artifacts_of(place),
        secrets=secrets_of(place, place.defined(AgentNode)),
        sandbox=place.policy.sandbox,
    )


def _folder(place: Place, attempt: AttemptState) -> Folder:
    """Return where the agent works; a branch that moved within the revision is merged into the clone."""
    if attempt.step is None:
        return Folder(place="run", project=place.project_id)
    first = place.tries.base
    return Folder(
        place="build",
        project=place.project_id,
        task=TaskId(place.task.task.id),
        step=attempt.step,
        base=attempt.base,
        revision=attempt.r,
        merge=attempt.base if first is not None and first != attempt.base else None,
    )


def _pack(place: Place, attempt: AttemptState) -> Json:
    node = place.defined(AgentNode)
    match attempt.role:
        case Role.BUILDER:
            return plain(step_pack(place, verdict=_failing(place, node)))
        case Role.PLANNER:
            return plain(plan_request(place, asked_of(place), faults=faults(place)))
        case _:
            return resolve(place, node.pack)


def _failing(place: Place, node: AgentNode) -> Verdict | None:
    """Return the verdict that asks for rework: of the round before, the last one that failed."""
    last = resolve(place, node.rework)
    outputs = list(last.values()) if isinstance(last, dict) else []
    for output in reversed(outputs):
        found = output.get("verdict", output) if isinstance(output, dict) else None
        if isinstance(found, dict) and "reason_code" in found and found.get("result") == "fail":
            return convert(found, Verdict)
    return None


def _prompt(place: Place) -> str:
    node = place.defined(AgentNode)
    prompt = "" if node.prompt is None else text_of(place, node.prompt, what="the prompt")
    asked = [f"\n{output_words(node.output)}\n"] if node.output is not None else []
    files = [f"- {path} ({name})" for name, path in artifacts_of(place).items()]
    asked += (
        ["\n".join(["\nLeave these files, by their paths from the folder that you work in:", *files, ""])]
        if files
        else []
    )
    return "\n".join([prompt, *asked])


AGENT = Kind(begin=_begin, attempt_over=_attempt_over, decided=decide_attempt, job=_job, examine=_examine)
