"""`make fuzz`: generated notebooks, cut at random places, compiled, run and compared."""

from __future__ import annotations

import argparse
import secrets
import sys
from contextlib import closing

from tests.promise.fuzz.outcome import BROKEN, judge
from tests.promise.fuzz.programs import program_of
from tests.promise.fuzz.report import Report, run, smallest
from tests.promise.harness import Processes

_SHRUNK = 10
_TOLD_EVERY = 200


def main() -> int:
    """Runs programs and prints the report; returns 1 if one of them breaks the promise."""
    parser = argparse.ArgumentParser(prog="python -m tests.promise.fuzz", description=__doc__)
    parser.add_argument("--programs", type=int, default=2000, help="how many programs to draw")
    parser.add_argument("--seed", type=int, default=None, help="draw the programs of an earlier run again")
    parser.add_argument("--program", type=int, default=None, help="show and run the program of this number only")
    given = parser.parse_args()
    if given.program is not None:
        return _one(given.program)
    number = secrets.randbelow(10**6) if given.seed is None else given.seed
    _tell(f"seed {number}")
    report = run(given.programs, number, _progress)
    _tell(report.text())
    with closing(Processes()) as processes:
        for at, (program, outcome) in enumerate(report.failures, 1):
            _tell(f"\n--- failure {at} of {len(report.failures)}, program {program.number}: {outcome.detail}\n")
            if at <= _SHRUNK:
                _tell(smallest(program, processes).text(f"program {program.number}"))
    return 1 if report.failures else 0


def _one(number: int) -> int:
    with closing(Processes()) as processes:
        outcome = judge(program_of(number), processes)
    _tell(program_of(number).text(f"program {number}"))
    _tell(f"{outcome.verdict}\n{outcome.detail}")
    return 0


def _progress(report: Report) -> None:
    done, outcome = len(report.outcomes), report.outcomes[-1]
    if outcome.verdict in BROKEN:
        program, _ = report.failures[-1]
        _tell(f"program {program.number}: {outcome.verdict.value}")  # shown whole and made small at the end
    if done % _TOLD_EVERY == 0:
        _tell(f"{done} programs")


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
