"""What is likely to set up and to test a project, from its files; whoever asks tries it before use."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from punchlist.model.json import Json

Files = Mapping[str, str]
Commands = tuple[str, ...]

_INSTALL = ".venv/bin/python -m pip install --quiet --disable-pip-version-check"
_TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test)\.py$")
_PYTEST = re.compile(r"\bpytest\b")
_UNITTEST = re.compile(r"^\s*(import|from)\s+unittest\b", re.MULTILINE)
_PACKAGE = re.compile(r"^\[(project|build-system|tool\.poetry)\]", re.MULTILINE)
_DEPENDS = re.compile(
    r"^\s*(dependencies\s*=\s*\[\s*[\"'#]|install_requires\s*=|\[tool\.poetry\.dependencies\])", re.MULTILINE
)
_EXTRAS = re.compile(r"^\[project\.optional-dependencies\][^\n]*\n(.*?)(?=^\[|\Z)", re.MULTILINE | re.DOTALL)
_TEST_EXTRA = re.compile(r"^(tests|test|testing|dev)\s*=", re.MULTILINE)
_MAKE_TARGET = re.compile(r"^(test|check)\s*:(?!=)", re.MULTILINE)
_REQUIREMENTS = re.compile(
    r"(requirements([-_](dev|tests?))?|(dev|tests?)[-_]requirements|requirements/(dev|tests?))\.txt"
)
_LOCKS = {
    "pnpm-lock.yaml": "pnpm install --frozen-lockfile",
    "yarn.lock": "yarn install --frozen-lockfile",
    "bun.lock": "bun install --frozen-lockfile",
    "package-lock.json": "npm ci --no-audit --no-fund",
    "npm-shrinkwrap.json": "npm ci --no-audit --no-fund",
}
_NPM_DEFAULT = "no test specified"


@dataclass(frozen=True)
class Detected:
    """Likely commands: `setup` in order, `path` to go before PATH (relative to the folder), `tests` best first."""

    setup: Commands = ()
    path: Commands = ()
    tests: Commands = ()


@dataclass(frozen=True)
class Kind:
    """One kind of project: the files of which one tells it, its commands, and where set-up puts programs."""

    told_by: tuple[str, ...]
    setup: Callable[[Files], Commands]
    tests: Callable[[Files], Commands]
    path: Commands = ()


def detect(files: Files) -> Detected:
    """Return what is likely to set up and test a checkout.

    `files` maps paths relative to the root to contents; "" will do for those that are large or no text.
    Where several kinds apply their commands follow one another, each once.
    """
    found = [
        (kind, kind.setup(files)) for kind in KINDS if not kind.told_by or not files.keys().isdisjoint(kind.told_by)
    ]
    return Detected(
        setup=_once(command for _, setup in found for command in setup),
        path=_once(entry for kind, setup in found if setup for entry in kind.path),
        tests=_once(command for kind, _ in found for command in kind.tests(files)),
    )


def _always(*commands: str) -> Callable[[Files], Commands]:
    return lambda _: commands


def _once(values: Iterable[str]) -> Commands:
    return tuple(dict.fromkeys(values))


def _python_setup(files: Files) -> Commands:
    """Return a venv and what goes into it; nothing where the standard library will do."""
    wanted = [f"-r {name}" for name in sorted(files) if _REQUIREMENTS.fullmatch(name)]
    settings = _settings(files)
    uses_pytest = _uses_pytest(files)
    if _is_package(files) and (uses_pytest or _DEPENDS.search(settings)):
        extras = _EXTRAS.search(files.get("pyproject.toml", ""))
        extra = _TEST_EXTRA.search(extras[1]) if extras else None
        wanted.append(f"-e '.[{extra[1]}]'" if extra else "-e .")
    if uses_pytest:
        wanted.append("pytest")
    return ("python3 -m venv .venv", f"{_INSTALL} {' '.join(wanted)}") if wanted else ()


def _python_tests(files: Files) -> Commands:
    tests = [path for path in files if _TEST_FILE.search(path)]
    pytest = ("python3 -m pytest -q",) if _uses_pytest(files) else ()
    if not any(_UNITTEST.search(files[path]) for path in tests):
        return pytest
    folder = "tests" if any(path.startswith("tests/") for path in tests) else "test"
    start = f" -s {folder} -t ." if any(path.startswith(f"{folder}/") for path in tests) else ""
    if f"{folder}/__init__.py" not in files:
        start = start.removesuffix(" -t .")
    source = "PYTHONPATH=src " if any(path.startswith("src/") for path in files) else ""
    return (*pytest, f"{source}python3 -m unittest discover{start}")


def _uses_pytest(files: Files) -> bool:
    """Say whether settings, requirements or tests speak of pytest, or there are tests that unittest would not find."""
    named = [files[name] for name in files if _REQUIREMENTS.fullmatch(name)]
    tests = [files[path] for path in files if _TEST_FILE.search(path)]
    told = any(_PYTEST.search(text) for text in (_settings(files), *named, *tests))
    return told or (bool(tests) and not any(_UNITTEST.search(text) for text in tests))


def _settings(files: Files) -> str:
    names = ("pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "pytest.ini")
    return "\n".join(files.get(name, "") for name in names) + ("\npytest" if "pytest.ini" in files else "")


def _is_package(files: Files) -> bool:
    """Say whether pip can install the root: a pyproject that only holds settings of tools is no package."""
    return "setup.py" in files or _PACKAGE.search(files.get("pyproject.toml", "")) is not None


def _node_setup(files: Files) -> Commands:
    for lock, command in _LOCKS.items():
        if lock in files:
            return (command,)
    package = _package_json(files)
    return (
        ("npm install --no-audit --no-fund",) if package.get("dependencies") or package.get("devDependencies") else ()
    )


def _node_tests(files: Files) -> Commands:
    scripts = _package_json(files).get("scripts")
    command = scripts.get("test", "") if isinstance(scripts, dict) else ""
    if not isinstance(command, str) or not command or _NPM_DEFAULT in command:
        return ()
    return (next((f"{_LOCKS[lock].split()[0]} test" for lock in _LOCKS if lock in files), "npm test"),)


def _package_json(files: Files) -> dict[str, Json]:
    try:
        package: Json = json.loads(files.get("package.json", ""))
    except ValueError:
        return {}
    return package if isinstance(package, dict) else {}


def _make_tests(files: Files) -> Commands:
    text = "\n".join(files.get(name, "") for name in _MAKEFILES)
    return tuple(f"make {target}" for target in sorted(set(_MAKE_TARGET.findall(text)), reverse=True))


_MAKEFILES = ("GNUmakefile", "Makefile", "makefile")
KINDS: tuple[Kind, ...] = (
    Kind((), _python_setup, _python_tests, path=(".venv/bin",)),
    Kind(("package.json",), _node_setup, _node_tests, path=("node_modules/.bin",)),
    Kind(("Cargo.toml",), _always("cargo fetch"), _always("cargo test")),
    Kind(("go.mod",), _always("go mod download"), _always("go test ./...")),
    Kind(("Gemfile",), _always("bundle install"), _always("bundle exec rake test")),
    Kind(("pom.xml",), _always(), _always("mvn --batch-mode --quiet test")),
    Kind(_MAKEFILES, _always(), _make_tests),
)
