"""Whatever faults are planted in a flow, its keys, kinds, names, types: each is told at its place, and no other."""

from typing import NamedTuple

from hypothesis import given, settings, strategies as st

from punchlist.errors import DefinitionError
from punchlist.flow.parse import parse_flow

FLOW = """\
punchlist: 1
flow: planted
doc: Something of everything.
inputs:
  words: {type: list, default: [a]}
  count: {type: int, default: 1, min: 0}
  colour: {enum: [red, green]}
agents:
  writer: {worker: claude}
policy: {max_parallel: 2, timeout: 1h}
nodes:
  first:
    run: echo "${{ inputs.count }}"
    timeout: 5m
    retry: {max: 1, backoff: {first: 1s}}
    env: {A: "b"}
  each:
    needs: [first]
    for_each: ${{ inputs.words }}
    as: word
    max_parallel: 2
    nodes:
      one: {run: [echo, "${{ word }}"]}
      two:
        agent: writer
        prompt: Say ${{ nodes.one.output.stdout }}
        output: {said: {enum: [a, b]}}
  again:
    repeat:
      max: 3
      until: ${{ nodes.ask.output.choice == 'yes' }}
      on_exhausted: gate
    nodes:
      ask: {gate: {message: "round ${{ round.index }}", choices: ["yes", "no"]}}
  checks:
    check:
      tree: base
      criteria:
        - {id: AC-1, text: It works., check: "true"}
        - {id: AC-2, text: It is told.}
  review:
    review:
      tree: base
      criteria: ${{ nodes.checks.output.to_review }}
      worker: codex
  verdict:
    judge: [checks, review]
  last:
    when: ${{ nodes.again.status == 'succeeded' }}
    set: {sum: "${{ size(nodes.each.output) }}"}
outputs:
  sum: ${{ nodes.first.output.exit_code }}
"""


class Fault(NamedTuple):
    """What is replaced by what; the text in the new one where it is told, and a part of what is told."""

    old: str
    new: str
    at: str
    part: str


FAULTS = [
    Fault("doc: Som", "dok: Som", "dok", "Did you mean 'doc'?"),
    Fault("flow: planted", "flow: Not A Slug", "Not", "lower-case letters"),
    Fault("type: list, default: [a]", "type: lst, default: [a]", "lst", "Did you mean 'list'?"),
    Fault("default: 1, min: 0", "default: 1, min: 5", "1, min", "the default is"),
    Fault("{enum: [red, green]}", "{enum: []}", "[]", "an empty list"),
    Fault("{worker: claude}", "{}", "{}", "lacks 'worker'"),
    Fault("max_parallel: 2, timeout", "max_parallel: 0, timeout", "0, timeout", "at least 1"),
    Fault("timeout: 1h", "timeout: long", "long", "saw 'long'"),
    Fault('run: echo "${{ inputs.count }}"', 'run: echo "${{ inputs.cuont }}"', "cuont", "Did you mean 'count'?"),
    Fault("    timeout: 5m", "    timeout: 0m", "0m", "no limit"),
    Fault("max: 1, backoff", "max: few, backoff", "few", "a whole number"),
    Fault("first: 1s", "frist: 1s", "frist", "Did you mean 'first'?"),
    Fault('env: {A: "b"}', 'env: {9A: "b"}', "9A", "no environment variable"),
    Fault("    retry:", "    frobnicate: 1\n    retry:", "frobnicate", "has no key 'frobnicate'"),
    Fault("needs: [first]", "needs: [first, secnd]", "secnd", "needs 'secnd'"),
    Fault("for_each: ${{ inputs.words }}", "for_each: ${{ 1 + 1 }}", "1 + 1", "a value of type int"),
    Fault("max_parallel: 2\n    nodes", "max_parallel: two\n    nodes", "two\n", "saw 'two'"),
    Fault("{run: [echo", "{set: {a: 1}, run: [echo", "run:", "has 'set' and 'run'"),
    Fault("${{ word }}", "${{ wrod }}", "wrod", "Did you mean 'word'?"),
    Fault('}}"]}\n', '}}"], frob: 1}\n', "frob", "has no key 'frob'"),
    Fault("prompt: Say", "promt: x\n        prompt: Say", "promt", "Did you mean 'prompt'?"),
    Fault("{said: {enum: [a, b]}}", "{said: strng}", "strng", "Did you mean 'string'?"),
    Fault("      max: 3", "      max: ${{ 'a' + 1 }}", "+ 1", "no rule for '+'"),
    Fault("nodes.ask.output.choice", "nodes.aks.output.choice", "aks", "Did you mean 'ask'?"),
    Fault("on_exhausted: gate", "on_exhausted: gat", "gat", "Did you mean 'gate'?"),
    Fault('["yes", "no"]', '["yes", "yes"]', '["yes"', "the same name"),
    Fault("      tree: base\n      criteria:\n", "      tree: bse\n      criteria:\n", "bse", "saw 'bse'"),
    Fault('check: "true"', 'check: ""', '""', "saw ''"),
    Fault("{id: AC-2, ", "{id: AC-1,  ", "AC-1", "taken by criterion 1"),
    Fault("text: It is told.", "text: It is told., timeout: 5m", "5m", "there is none"),
    Fault("worker: codex", "worker: codex\n      wroker: x", "wroker", "Did you mean 'worker'?"),
    Fault("[checks, review]", "[checks, review, first]", "first", "nothing to judge"),
    Fault("status == 'succeeded'", "status + 1 == 2", "+ 1", "no rule for '+'"),
    Fault("size(nodes.each", "size(nodes.ech", "ech", "Did you mean 'each'?"),
    Fault("output.exit_code", "output.exitcode", "exitcode", "Did you mean 'exit_code'?"),
]


def planted(faults: list[Fault]) -> str:
    text = FLOW
    for fault in faults:
        assert text.count(fault.old) == 1, fault
        text = text.replace(fault.old, fault.new)
    return text


def place(fault: Fault, text: str) -> str:
    index = text.index(fault.new) + fault.new.index(fault.at)
    return f"f.yaml:{text.count(chr(10), 0, index) + 1}:{index - text.rfind(chr(10), 0, index)}"


def told(text: str) -> list[tuple[str, str]]:
    try:
        parse_flow(text, source="f.yaml")
    except DefinitionError as error:
        return [(problem.where, str(problem)) for problem in error.problems]
    return []


def test_the_flow_without_faults_is_taken() -> None:
    assert told(FLOW) == []


@given(st.lists(st.sampled_from(FAULTS), min_size=1, unique=True))
@settings(max_examples=max(300, settings().max_examples))
def test_all_faults_of_a_flow_are_told_at_once(faults: list[Fault]) -> None:
    text = planted(faults)

    found = told(text)

    expected = [(place(fault, text), fault.part) for fault in faults]
    missing = [each for each in expected if not any(where == each[0] and each[1] in said for where, said in found)]
    assert missing == []
    assert [each for each in found if each[0] not in {where for where, _ in expected}] == []
    assert found == sorted(found, key=lambda each: [int(number) for number in each[0].split(":")[1:]])
