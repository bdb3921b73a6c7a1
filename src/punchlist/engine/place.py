"""A node's place in a run, as one state shows it: its record, and the step and policy that hold there."""

from collections.abc import Iterator
from typing import TypeVar

from punchlist.engine.fold_task import step_of
from punchlist.errors import DefinitionError
from punchlist.model.flow import AnyNode, Flow
from punchlist.model.ids import NodePath, ProjectId, StepId
from punchlist.model.policy import Policy, overlay
from punchlist.model.records import Project, Step
from punchlist.model.state import NodeState, RunState, State, StepState, TaskState, Tries

N = TypeVar("N", bound=AnyNode)


class Place:
    """A node of a run (the root has the path `""`). Everything here is read; nothing is changed."""

    def __init__(self, state: State, path: NodePath) -> None:
        self._state = state
        self.path = path

    @property
    def state(self) -> State:
        """The state that this is seen in."""
        return self._state

    def at(self, path: NodePath) -> "Place":
        """Return another node's place in the same state."""
        return Place(self.state, path)

    @property
    def run(self) -> RunState:
        """The run; there is one once RunCreated is folded."""
        run = self.state.run
        assert run is not None
        return run

    @property
    def task(self) -> TaskState:
        """The run's task; asked for only where there must be one."""
        if self.state.task is None:
            raise DefinitionError("this node works on a task, and the run has none", hint="Use it in a task's flow.")
        return self.state.task

    @property
    def project(self) -> Project:
        """The run's project; asked for only where there must be one."""
        if self.state.project is None:
            raise DefinitionError("this node works on a project, and the run has none", hint="Name one: --project.")
        return self.state.project

    @property
    def project_id(self) -> ProjectId | None:
        """The run's project by name, if it has one."""
        return ProjectId(self.state.project.id) if self.state.project is not None else None

    @property
    def node(self) -> NodeState:
        """The node as it is now."""
        return self.run.nodes[self.path]

    @property
    def definition(self) -> AnyNode | Flow:
        """The record that the flow has for the node; an item's is its for_each, a round's its repeat."""
        run = self.run
        return run.spots[run.nodes[self.path].spot].node

    def defined(self, kind: type[N]) -> N:
        """Return the node's record, which is of this kind."""
        found = self.definition
        assert isinstance(found, kind)
        return found

    def upward(self) -> Iterator[NodeState]:
        """Yield the node and those around it, innermost first, the run's root last."""
        nodes = self.run.nodes
        node: NodeState | None = nodes[self.path]
        while node is not None:
            yield node
            node = nodes[node.parent] if node.parent is not None else None

    @property
    def delivers(self) -> bool:
        """Whether the run moves its task and the task's steps; a run that only proves a draft does not."""
        return self.run.purpose == "deliver"

    @property
    def step(self) -> StepId | None:
        """The step that the node works for: the nearest item around it that is a step of the run's task."""
        found = self.step_item
        return _step_of(found) if found is not None else None

    @property
    def step_item(self) -> NodeState | None:
        """The item that stands for the step."""
        task = self.state.task
        if task is None:
            return None
        return next((node for node in self.upward() if _step_of(node) in task.steps), None)

    @property
    def own_step(self) -> StepId:
        """The step, where there must be one."""
        if self.step is None:
            raise DefinitionError("this works on a step, and there is none around the node", where=self.path)
        return self.step

    @property
    def told(self) -> StepState:
        """What the task's stream says of the step."""
        return self.task.steps[self.own_step]

    @property
    def record(self) -> Step:
        """The step's record."""
        return step_of(self.task.task, self.own_step)

    @property
    def tries(self) -> Tries:
        """The builder's attempts for the step in its present revision."""
        tries, revision = self.run.tries.get(self.own_step, Tries()), self.told.r
        return tries if tries.r == revision else Tries(r=revision)

    @property
    def policy(self) -> Policy:
        """The policy in force at the node: the run's, with its step's laid over it."""
        return self.run.policy if self.step is None else overlay(self.run.policy, self.record.policy)


def _step_of(node: NodeState) -> StepId | None:
    if node.kind != "item" or not isinstance(node.value, dict):
        return None
    return StepId(str(node.value["id"])) if node.value.get("id") else None
