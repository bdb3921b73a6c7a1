"""The base's ignore rules, written as one list, against git itself reading the same `.gitignore` files."""

import os
import subprocess
import tempfile
from pathlib import Path

from hypothesis import given, settings, strategies as st

from punchlist.workspace.rules import patterns

PARTS = st.sampled_from(["a", "b", "a.log", "b.log", "c d", "[x]", "q*"])
FOLDERS = st.lists(PARTS.filter(lambda part: "." not in part), max_size=2).map("/".join)
ATOMS = st.sampled_from(["a", "b", "*.log", "*", "?", "**", "c d", "\\[x\\]", "[a-b]", "q\\*", "a.log"])
RULES = st.builds(
    lambda sign, lead, atoms, tail: sign + lead + "/".join(atoms) + tail,
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "", "/"]),
    st.lists(ATOMS, min_size=1, max_size=3),
    st.sampled_from(["", "", "/", " ", "\r"]),
)
IGNORES = st.dictionaries(FOLDERS, st.lists(RULES, min_size=1, max_size=4).map("\n".join), min_size=1, max_size=3)
PATHS = st.lists(st.lists(PARTS, min_size=1, max_size=4).map("/".join), min_size=1, max_size=10, unique=True)


def untracked(folder: Path, *arguments: str) -> set[str]:
    command = ["git", "ls-files", "-z", "--others", *arguments]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, env=environment)
    return {path for path in done.stdout.decode().split("\0") if path and not path.endswith(".gitignore")}


@settings(max_examples=60)
@given(ignores=IGNORES, paths=PATHS)
def test_the_list_ignores_what_git_ignores(ignores: dict[str, str], paths: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["git", "init", "-q", "--template=", name], check=True)
        for place, rules in ignores.items():
            (folder / place).mkdir(parents=True, exist_ok=True)
            (folder / place / ".gitignore").write_bytes(rules.encode())
        for path in sorted(paths, reverse=True):
            if not (folder / path).exists() and not any(parent.is_file() for parent in (folder / path).parents):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text("x", encoding="utf-8")
        (folder / ".git" / "rules").write_bytes(
            patterns({place: rules.encode() for place, rules in ignores.items()}, tracked=())
        )

        ours = untracked(folder, "--exclude-from=.git/rules")

        assert ours == untracked(folder, "--exclude-standard")
