"""Random kills: `python -m tests.crash.chances.soak` until so many are made, or a run differs from its twin.

A seed draws the moments, and whom they strike; what is struck there is not in its hands, so play it more than once.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

import punchlist.serving.engine  # loaded here, it is there in every engine # noqa: F401
from tests.crash.chances.afterwards import differences
from tests.crash.chances.flow import Drawn
from tests.crash.chances.killed import Killed

NODES = 300
SHARE = 10
"""How many seeds, one after the other, disturb the same flow: it is run only once without a disturbance."""
_TELL = 10.0


class Soak:
    """Runs, one a seed, until so many kills are made."""

    def __init__(self, folder: Path, *, nodes: int) -> None:
        self._folder = folder
        self._nodes = nodes
        self._twin: tuple[int, Killed] | None = None
        self._began = time.monotonic()
        self._told = self._began
        self.kills: Counter[str] = Counter()
        self.runs = 0
        self.asked = 0

    def play(self, seed: int, *, kills: int) -> list[str]:
        """Disturb the run of a seed; return what came of it that must not. Only then is its workspace kept."""
        number = seed // SHARE
        flow = Drawn.of(Random(number), nodes=self._nodes)
        twin = self._undisturbed(number, flow)
        folder = self._folder / f"seed-{seed}"
        run = Killed(folder, flow)
        try:
            run.disturb(Random(seed), kills=kills)
            run.finish()
            found = differences(run, twin)
        except AssertionError as error:
            found = [str(error)]
        finally:
            run.end()
            self.kills.update(run.kills)
            self.asked += run.asked
            self.runs += 1
        if not found:
            shutil.rmtree(folder)
        return found

    def _undisturbed(self, number: int, flow: Drawn) -> Killed:
        if self._twin is not None and self._twin[0] == number:
            return self._twin[1]
        self.forget_twin()
        run = Killed(self._folder / f"undisturbed-{number}", flow)
        run.finish()
        self._twin = (number, run)
        return run

    def forget_twin(self) -> None:
        """Remove the run that nobody disturbed."""
        if self._twin is not None:
            shutil.rmtree(self._twin[1].workspace.root.parent)
            self._twin = None

    def told(self, *, now: bool = False) -> None:
        """Say every few seconds how far it is."""
        if now or time.monotonic() - self._told > _TELL:
            self._told = time.monotonic()
            made = self.kills.total()
            rate = made / (self._told - self._began)
            _say(f"{made} kills, {self.runs} runs, {rate:.1f} kills a second; a person was asked {self.asked} times")


def main(arguments: Sequence[str]) -> int:
    """Play, print progress, stop at the first difference, with the command that replays it."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.chances.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="how many kills (default: 1000)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the first seed (default: a new one)")
    parser.add_argument("--nodes", type=int, default=NODES, help=f"how many nodes a run has (default: {NODES})")
    asked = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="punchlist-kills-"))
    soak, seed = Soak(folder, nodes=asked.nodes), asked.seed
    _say(f"from seed {seed} on, in {folder}")
    while (left := asked.kills - soak.kills.total()) > 0:
        if found := soak.play(seed, kills=left):
            soak.told(now=True)
            _say("\n".join((f"seed {seed}:", *found, f"its workspace is kept: {folder / f'seed-{seed}' / 'here'}")))
            replay = f"python -m tests.crash.chances.soak --seed={seed} --kills={left} --nodes={asked.nodes}"
            _say(f"again: {replay}")
            return 1
        soak.told()
        seed += 1
    soak.told(now=True)
    _say("no difference. " + ", ".join(f"{who}: {times}" for who, times in soak.kills.most_common()))
    shutil.rmtree(folder)
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
