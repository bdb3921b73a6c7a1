"""A flow of shell nodes, drawn from a seed: each says that it started, takes its time, and prints a number."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from random import Random

SCRIPT = """\
#!/bin/sh
# node NUMBER SECONDS KIND [NEED...]: prints a number that is made of its own and those of its needs.
# It `fails` once, `leaves` a daemon behind, or is `plain`. A process of another attempt at it that still lives is told.
cd "${0%/*}" || exit 9
number=$1 seconds=$2 kind=$3
shift 3
echo "$number $PUNCHLIST_ATTEMPT" >>started
exec 7>"busy/$number"
flock --nonblock 7
[ $? = 1 ] && echo "$number $PUNCHLIST_ATTEMPT" >>twice # it is 137 where that was struck itself
sum=$number
for need; do
    read -r value <"out/$need" || exit 8
    sum=$(((sum * 31 + value) % 1000003))
done
[ "$kind" = leaves ] && setsid --fork sleep 1000 >/dev/null 2>&1
sleep "$seconds"
if [ "$kind" = fails ] && mkdir "failed/$number" 2>/dev/null; then
    echo "$number $PUNCHLIST_ATTEMPT" >>failures
    exit 1
fi
echo "$sum" >"out/$number"
echo "$sum"
"""
FOLDERS = ("busy", "failed", "out")
FILES = ("started", "twice", "failures")
KINDS = {"plain": 80, "fails": 10, "leaves": 10}
REACH = 12
"""How far back a node may need another one; the more, the more of them may run at once."""
RETRY = {"max": 1000, "backoff": {"first": "1ms", "most": "1ms"}}


@dataclass(frozen=True)
class Drawn:
    """A flow that chance has drawn."""

    name: str
    parallel: int
    nodes: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, chance: Random, *, nodes: int) -> "Drawn":
        """Draw one of this many nodes."""
        drawn: list[tuple[str, ...]] = []
        for number in range(nodes):
            near = range(max(0, number - REACH), number)
            needs = sorted(chance.sample(near, k=min(chance.choice((0, 1, 1, 2)), len(near))))
            seconds = math.exp(chance.uniform(math.log(0.001), math.log(0.06)))
            (kind,) = chance.choices(list(KINDS), list(KINDS.values()))
            drawn.append((str(number), f"{seconds:.3f}", kind, *map(str, needs)))
        return cls("chances", chance.choice((2, 3, 4)), tuple(drawn))

    def write(self, folder: Path) -> None:
        """Write the flow and all that it works with."""
        for name in FOLDERS:
            (folder / name).mkdir()
        for name in FILES:
            (folder / name).touch()
        script = folder / "node"
        script.write_text(SCRIPT, encoding="utf-8")
        script.chmod(0o755)
        (folder / "flow.yaml").write_text(self._text(script), encoding="utf-8")

    def _text(self, script: Path) -> str:
        nodes = {
            f"n{number}": {"needs": [f"n{need}" for need in needs], "run": [str(script), number, *rest], "retry": RETRY}
            for number, *rest in self.nodes
            for needs in [rest[2:]]
        }
        whole = {"punchlist": 1, "flow": self.name, "policy": {"max_parallel": self.parallel}, "nodes": nodes}
        return json.dumps(whole)  # which is YAML, too
