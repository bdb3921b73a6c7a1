"""The flow language by example: reads `*.md` here, says what comes of each case, and writes that anew when asked.

Usage: python -m tests.flows.cases [FILE.md …] — writes what is said now into the files; look at the difference.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from posixpath import normpath
from typing import Any

import yaml

from punchlist.errors import DefinitionError, Problem, PunchlistError
from punchlist.flow.nodes import COMMON, KINDS, keys_of
from punchlist.flow.parse import KEYS, parse_flow
from punchlist.service import gates, runs
from punchlist.service.context import Service
from tests.services import at

HERE = Path(__file__).parent
FLOW = "flow.yaml"
SETTINGS = """\
[workers.echo]      # answers with what it is given as `pack`
type = "command"
argv = ["sh", "-c", 'cp "$PUNCHLIST_PACK" "$PUNCHLIST_RESULT"']
[workers.broken]
type = "command"
argv = ["false"]
[workers.needy]
type = "command"
argv = ["true"]
env = ["A_NAME_THAT_NOBODY_SETS"]
[policy]
max_parallel = 4
retries = 0
[engine]
idle_exit = "1s"
"""
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^```(\w+) ?(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
_MANY = re.compile(r"⟨(.+?)\*(\d+)⟩", re.DOTALL)
_TIME = r"\b20\d\d-\d\d-\d\dT[\d:.]+Z\b"
_OWN = {_TIME: "20…Z", r"\bA\d+\b": "A…", r"\bhuman:\w+": "human:…", r"Looked in \S+": "Looked in …"}
_LISTS = {
    "every kind and common key": ", ".join((*KINDS, *COMMON)),
    "every kind": ", ".join(KINDS),
    "the keys of a flow": ", ".join(KEYS),
    **{f"the keys of {kind}": ", ".join(keys_of(kind)) for kind in KINDS},
}
_SAID = ("errors", "outcome", "refused")


@dataclass(frozen=True)
class Case:
    """One case: a sentence, the files that it is about, what it is given, and what comes of it."""

    file: str
    name: str
    files: Mapping[str, str]
    said: Mapping[str, str]
    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    decisions: Sequence[str] = ()

    @property
    def runs(self) -> bool:
        """Whether the flow is run, not only checked."""
        return "errors" not in self.said

    @property
    def title(self) -> str:
        """What a test run shows of it."""
        return f"{self.file}: {self.name}"


def cases(files: Sequence[Path] | None = None) -> list[Case]:
    """Return all cases, or those of some files."""
    found = sorted(HERE.glob("*.md")) if files is None else files
    return [case for path in found if path.name != "README.md" for case in _of(path)]


def _of(path: Path) -> Iterator[Case]:
    _, *parts = _HEADING.split(path.read_text(encoding="utf-8"))
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        case = Case(path.name, name, {}, {})
        for kind, about, content in _BLOCK.findall(body):
            case = _with(case, f"{kind} {about}".strip(), content)
        yield case


def _with(case: Case, kind: str, content: str) -> Case:
    word, _, about = kind.partition(" ")
    if word == "text":
        return replace(case, said={**case.said, about: content})
    if about == "inputs":
        return replace(case, inputs=yaml.safe_load(content))
    if about == "decisions":
        return replace(case, decisions=yaml.safe_load(content))
    name = FLOW if about in {"", "escaped"} else normpath(about)
    text = _unescaped(content) if about == "escaped" else content
    return replace(case, files={**case.files, name: text})


def _unescaped(text: str) -> str:
    r"""Return text with `⟨a*5000⟩` written out and `\x07` made what it means."""
    many = _MANY.sub(lambda found: found[1] * int(found[2]), text)
    return re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), many)


def checked(case: Case) -> str:
    """Return what the checker says of a case's flow: a line a problem, else a line a warning, or nothing."""
    warnings: list[Problem] = []
    try:
        parse_flow(case.files[FLOW], source=FLOW, read=lambda name: case.files[normpath(name)], warn=warnings.append)
    except DefinitionError as error:
        return "".join(f"{_short(str(problem))}\n" for problem in error.problems)
    return "".join(f"warning: {each}\n" for each in warnings)


def _short(text: str) -> str:
    """Return a problem with names for the long lists that each new kind or key of the language changes."""
    for name, keys in _LISTS.items():
        text = text.replace(f": {keys}", f": ⟨{name}⟩")
    return text


def outcomes(found: Sequence[Case], service: Service) -> dict[str, str]:
    """Run the flows of cases beside each other, and return by the title of each what came of it."""
    started: dict[str, str] = {}
    said: dict[str, str] = {}
    for number, case in enumerate(found):
        folder = service.root / "cases" / str(number)
        for name, text in case.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        try:
            started[case.title] = at(runs.run(service, str(folder / FLOW), inputs=case.inputs), "run", "id")
        except PunchlistError as error:
            said[case.title] = "".join(f"{problem}\n" for problem in error.problems) or f"{error}\n"
    for case in found:
        if case.title in started:
            said[case.title] = _ended(service, started[case.title], decisions=case.decisions)
    return said


def _ended(service: Service, run: str, *, decisions: Sequence[str]) -> str:
    left = list(decisions)
    while True:
        (found,) = at(runs.wait(service, [run]), "runs")
        if found["status"] != "waiting" or not left:
            return _told(found)
        asked = [each for each in at(gates.listing(service), "gates") if each["about"] == run]
        gates.decide(service, asked[0]["id"], choice=left.pop(0))


def _told(run: Mapping[str, Any]) -> str:
    lines = [_line("", run["status"], run["outputs"], run["error"])]
    lines += [
        _line(node["path"], node["status"], node["output"], node["error"]) for node in run["nodes"] if node["path"]
    ]
    text = "".join(lines)
    for pattern, said in _OWN.items():
        text = re.sub(pattern, said, text)
    return text


def _line(path: str, status: str, output: object, error: str | None) -> str:
    value = "" if output in (None, {}) else json.dumps(output, ensure_ascii=False)
    told = " ".join(part for part in (path, status, value) if part)
    return f"{told}: {' ⏎ '.join(error.splitlines())}\n" if error else f"{told}\n"


def written(path: Path, said: Mapping[str, str]) -> str:
    """Return the text of a file with what is said now in place of what was said."""
    head, *parts = _HEADING.split(path.read_text(encoding="utf-8"))
    text = head
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        blocks = [found for found in _BLOCK.finditer(body) if found[1] == "text" and found[2] in _SAID]
        assert len(blocks) == 1, f"{path.name}: {name}: one of {_SAID} is needed"
        start, end = blocks[0].span(3)
        text += f"## {name}{body[:start]}{said[f'{path.name}: {name}']}{body[end:]}"
    return text


def main(names: Sequence[str]) -> None:
    """Write what is said now into the files."""
    import tempfile

    from tests.services import stopped, workspace

    paths = [HERE / name for name in names] or [path for path in sorted(HERE.glob("*.md")) if path.name != "README.md"]
    found = cases(paths)
    said = {case.title: checked(case) for case in found if not case.runs}
    if runners := [case for case in found if case.runs]:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "workspace"
            with stopped(workspace(root, settings=SETTINGS, engine=True)) as service:
                said |= outcomes(runners, service)
    for path in paths:
        path.write_text(written(path, said), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
