"""The files that a definition names: called flows, parsed and embedded, and the texts of prompts."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from punchlist.errors import DefinitionError
from punchlist.flow.problems import Place, Problems
from punchlist.model.flow import Flow

Read = Callable[[str], str]
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Files:
    """One file of a definition and the way to the others; `above` are the files whose calls led here, outermost first.

    `folder` is the part of this file's name, as `read` knows it, before the last slash; `root` that of the first file's
    own name. `parsed` holds every called flow, None for one that has problems, which are told once.
    """

    source: str
    read: Read | None
    parse: "Callable[[Files, str], Flow]"
    problems: Problems
    folder: str = ""
    root: str = ""
    above: tuple[str, ...] = ()
    parsed: dict[str, Flow | None] = field(default_factory=dict[str, Flow | None])
    shown: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def around(cls, source: str, *, read: Read | None, parse: "Callable[[Files, str], Flow]") -> "Files":
        """Return the files around the first one."""
        return cls(source, read, parse, Problems(source), root=_folder(source))

    def flow(self, name: str, place: Place) -> Flow:
        """Return a called flow, checked; one without nodes, and a problem at `place`, when there is none."""
        key = self._key(name)
        path = (*self.above, self.source)
        shown = self._shown(key)
        if shown in path:
            ring = " → ".join((*path[path.index(shown) :], shown))
            self.problems.add(place, f"flows call each other: {ring}", hint="A flow cannot call itself")
        elif len(path) > _DEEPEST:
            self.problems.add(place, f"flows call flows more than {_DEEPEST} levels deep")
        elif key not in self.parsed:
            self.parsed[key] = self._called(key, place)
        return self.parsed.get(key) or Flow(flow=name, nodes=())

    def text(self, name: str, place: Place) -> str:
        """Return a file's text; empty, and a problem at `place`, when there is none."""
        key = self._key(name)
        self.shown[name] = self._shown(key)
        return self._text(key, place, what="file") or ""

    def _called(self, key: str, place: Place) -> Flow | None:
        text = self._text(key, place)
        if text is None:
            return None
        shown = self._shown(key)
        inner = replace(
            self,
            source=shown,
            problems=Problems(shown),
            folder=_folder(key),
            above=(*self.above, self.source),
            shown={},
        )
        try:
            return self.parse(inner, text)
        except DefinitionError as error:
            self.problems.take(error.problems, at=place)
            return None

    def _text(self, key: str, place: Place, *, what: str = "file or built-in flow") -> str | None:
        if self.read is None:
            self.problems.add(place, f"'{key}' cannot be read here: no other files are known")
            return None
        try:
            return self.read(key)
        except (KeyError, FileNotFoundError):
            self.problems.add(place, f"there is no {what} '{key}'")
        except UnicodeDecodeError:
            self.problems.add(place, f"'{key}' is not UTF-8", hint="Save it as UTF-8")
        except OSError as error:
            self.problems.add(place, f"'{key}' cannot be read: {error.strerror}")
        return None

    def _key(self, name: str) -> str:
        """Return the name that `read` takes: as written in the first file, from that file's folder in all others."""
        return _joined(self.folder, name) if self.folder and "/" in name else name

    def _shown(self, key: str) -> str:
        return _joined(self.root, key) if "/" in key else key


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _joined(folder: str, name: str) -> str:
    """Return a path without `.` and `x/..` in it."""
    absolute = name.startswith("/") or folder.startswith("/")
    parts: list[str] = [] if name.startswith("/") else [part for part in folder.split("/") if part not in {"", "."}]
    for part in name.split("/"):
        if part == ".." and (absolute or (parts and parts[-1] != "..")):
            del parts[-1:]
        elif part not in {"", "."}:
            parts.append(part)
    return ("/" if absolute else "") + "/".join(parts)
