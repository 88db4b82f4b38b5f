"""`make demo`: the main job from end to end, with the commands that a person would type.

Each act prints its command and lets it speak. The demo stops at the first command that does not end as it should. It
keeps to the project folder: a tracking server named in the environment is left alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PIPELINE = "pipelines/flight_delays"


@dataclass(frozen=True, slots=True)
class Act:
    """One command of the demo, the sentence that introduces it, and the exit code that it should end with."""

    title: str
    command: Sequence[str]
    expected: int = 0


ACTS = (
    Act("Compile the notebook into a pipeline", ["compile", "example_notebooks/flight_delays.ipynb"]),
    Act("Run it: steps, gate, registration; the first version that passes becomes champion", ["run", PIPELINE]),
    Act(
        "Run it with better parameters: the version passes against the champion and becomes challenger",
        ["run", PIPELINE, "-p", "max_iter=120"],
    ),
    Act(
        "Make the challenger champion",
        ["promote", "flight_delays@challenger", "--reason", "better AUC on the held-out months"],
    ),
    Act(
        "Run it with parameters that make the model worse: the gate rejects it, the champion stays",
        ["run", PIPELINE, "-p", "max_iter=3"],
        expected=3,
    ),
    Act("Return to the former champion", ["rollback", "flight_delays", "--reason", "to show how"]),
    Act("Who did what to which version, when and why", ["audit", "show", "flight_delays"]),
    Act("Is the log whole?", ["audit", "verify"]),
    Act("Where does what is live come from: data, cells, commit, run, gate, history", ["lineage", "flight_delays"]),
    Act("What differs between the two versions", ["diff", "flight_delays/1", "flight_delays/2"]),
    Act("All runs beside each other, the best first", ["runs", "flight_delays", "--sort", "auc"]),
)


def main() -> int:
    """Plays the acts in order. Returns 0, or the exit code of the command that ended otherwise than it should."""
    started = time.monotonic()
    env = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() and "NO_COLOR" not in env else ("", "")
    for number, act in enumerate(ACTS, start=1):
        print(f"\n{bold}{number}/{len(ACTS)}  {act.title}{plain}\n$ nbmlops {' '.join(act.command)}\n", flush=True)
        done = subprocess.run([sys.executable, "-m", "nbmlops", *act.command], cwd=ROOT, env=env, check=False)
        if done.returncode != act.expected:
            print(f"\nThe demo stops: exit code {done.returncode} instead of {act.expected}.", file=sys.stderr)
            return done.returncode or 1
    print(f"\nDone in {time.monotonic() - started:.0f} s. Open the notebook itself with: make lab")
    return 0


if __name__ == "__main__":
    sys.exit(main())
