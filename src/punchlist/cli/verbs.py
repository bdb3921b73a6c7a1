"""The table of verbs: where each one lives and its line of help; nothing else of a verb is read before it is used."""

from collections.abc import Mapping
from typing import NamedTuple


class Verb(NamedTuple):
    """Where a verb's command is (`module:attribute` below `punchlist.cli`), and what it does in one line."""

    place: str
    help: str


SECTIONS: Mapping[str, Mapping[str, Verb]] = {
    "Begin": {
        "init": Verb("begin:init", "make a workspace here; a git repository becomes its first project"),
        "demo": Verb("demo:demo", "deliver a sample from spec to accepted commits, without any key"),
        "doctor": Verb("begin:doctor", "what this machine has: git, sandbox, limits, store, workers"),
        "config": Verb("begin:config", "each setting, its value, and where it came from"),
        "project": Verb("project:project", "create, list, show, edit projects"),
    },
    "Plan and approve": {
        "plan": Verb("plan:plan", "have a planner write tasks with steps from a spec or a request"),
        "do": Verb("plan:do", "plan a request, show it, ask, start it and follow"),
        "task": Verb("task:task", "create, list, show, edit, start, end tasks"),
        "step": Verb("step:step", "add, edit, remove, show, list, skip, reopen steps"),
        "approve": Verb("decide:approve", "approve a task, or decide a gate in favour"),
        "reject": Verb("decide:reject", "send a proposed task back to draft"),
        "decide": Verb("decide:decide", "decide a gate by one of its choices"),
        "gates": Verb("decide:gates", "what waits for a decision, each with its choices"),
        "waive": Verb("decide:waive", "pass over a finding, with a reason that is kept"),
        "rework": Verb("decide:rework", "send a step back to its builder with your own finding"),
    },
    "Run and steer": {
        "run": Verb("run:run", "run a flow"),
        "validate": Verb("run:validate", "check flows without running anything"),
        "flow": Verb("flow:flow", "list, show, draw flows, built-in ones and your own"),
        "pause": Verb("run:pause", "start nothing new in a run or task"),
        "resume": Verb("run:resume", "go on with what was paused or interrupted, or go back to a node"),
        "retry": Verb("run:retry", "what failed, again"),
        "cancel": Verb("run:cancel", "end a run, a task, a step or a node"),
        "add": Verb("run:add", "give a run that goes on more nodes, or others in their place"),
    },
    "Look": {
        "status": Verb("look:status", "what needs you, what runs, what went wrong (also without a verb)"),
        "why": Verb("look:why", "why something was accepted, or what it waits for"),
        "logs": Verb("look:logs", "the output of an attempt"),
        "events": Verb("look:events", "the facts in the log, as they come"),
        "report": Verb("look:report", "the whole story of a task or run"),
        "diff": Verb("look:diff", "what a task or step changed"),
    },
    "Keep": {
        "files": Verb("keep:files", "check, write or compare the generated files"),
        "log": Verb("keep:log", "verify the record against its hashes, its folds and git"),
        "mcp": Verb("mcp:mcp", "typed tools for agents: serve them, or set up a client"),
        "engine": Verb("engine:engine", "run, start, stop the engine, or see whether it is up"),
        "gc": Verb("clean:gc", "remove what finished work left on the disk, by age"),
        "schema": Verb("about:schema", "the JSON Schema of a record"),
        "completion": Verb("about:completion", "the script that completes verbs and ids in your shell"),
        "version": Verb("about:version", "the version of this program"),
    },
}

VERBS: Mapping[str, Verb] = {name: verb for section in SECTIONS.values() for name, verb in section.items()}
