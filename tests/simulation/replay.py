"""Replay one script: `python -m tests.simulation.replay SEED [--steps 0-3,7] [--shrink]` prints what happens in it."""

import argparse
import sys
from collections.abc import Sequence

from tests.simulation.play import play
from tests.simulation.script import Script, read
from tests.simulation.shrink import shrunk


def main(arguments: Sequence[str]) -> int:
    """Play one script, and tell what happened last and which law was broken; 1 when one was."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.replay", description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("--steps", type=read, help="which choices of the seed are made; by default all of them")
    parser.add_argument("--shrink", action="store_true", help="look for fewer choices that break the same law")
    asked = parser.parse_args(arguments)
    script = Script.of(asked.seed)
    failure = play(script if asked.steps is None else script.only(asked.steps))
    if failure is None:
        sys.stdout.write(f"seed {asked.seed}: every law held\n")
        return 0
    sys.stdout.write(f"{shrunk(failure) if asked.shrink else failure}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
