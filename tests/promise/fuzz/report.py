"""Runs many programs and tells what became of them: verdicts, refusals by code, constructs covered, time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.promise.fuzz.outcome import BROKEN, Outcome, Verdict, judge
from tests.promise.fuzz.program import Program
from tests.promise.fuzz.programs import programs
from tests.promise.fuzz.shrink import plainer, shrink
from tests.promise.harness import Processes

_PER_SERVER = 400


@dataclass(slots=True)
class Report:
    """What became of the programs that were run."""

    outcomes: list[Outcome] = field(default_factory=list)
    constructs: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    refusing: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[Program, Outcome]] = field(default_factory=list)

    def add(self, program: Program, outcome: Outcome) -> None:
        """Counts one program."""
        self.outcomes.append(outcome)
        if outcome.verdict in {Verdict.INVALID, Verdict.UNSTEADY}:
            return
        self.constructs.update(program.constructs)
        if outcome.verdict is Verdict.REFUSED:
            self.refused.update(outcome.detail.split())
            self.refusing.update(program.constructs)
        if outcome.verdict in BROKEN:
            self.failures.append((program, outcome))

    def counts(self) -> Counter[Verdict]:
        """Returns how many programs have each verdict."""
        return Counter(outcome.verdict for outcome in self.outcomes)

    def judged(self) -> int:
        """Returns how many programs were valid, so that the promise holds for them or not."""
        counts = self.counts()
        return len(self.outcomes) - counts[Verdict.INVALID] - counts[Verdict.UNSTEADY]

    def refused_share(self) -> float:
        """Returns the share of valid programs that were refused."""
        return self.counts()[Verdict.REFUSED] / max(1, self.judged())

    def text(self) -> str:
        """Returns the report for a person."""
        counts, judged = self.counts(), self.judged()
        lines = [f"{len(self.outcomes)} programs, {judged} of them valid"]
        lines += [f"  {counts[verdict]:5d}  {verdict.value}" for verdict in Verdict]
        lines += [f"refused: {100 * self.refused_share():.1f} % of the valid ones"]
        lines += [f"  {count:5d}  {code}" for code, count in self.refused.most_common()]
        seconds = [outcome.seconds for outcome in self.outcomes]
        lines += [f"time: {sum(seconds):.0f} s, {sum(seconds) / max(1, len(seconds)):.3f} s each"]
        lines += [f"constructs: {len(self.constructs)}, with the number of programs that hold them"]
        lines += [f"  {count:5d}  {name}" for name, count in sorted(self.constructs.items())]
        return "\n".join(lines)


def run(count: int, number: int, watch: Callable[[Report], None] = lambda _report: None) -> Report:
    """Returns what becomes of that many programs drawn with this seed; the same seed draws the same programs.

    Ctrl-C ends it early, with what was found so far.

    Args:
        count: How many programs.
        number: The seed.
        watch: Called after each program.
    """
    report = Report()
    servers: list[Processes] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(programs())
    def each(program: Program) -> None:
        if len(report.outcomes) % _PER_SERVER == 0:
            _close(servers)
            servers.append(Processes())
        report.add(program, judge(program, servers[-1]))
        watch(report)

    try:
        each()
    except KeyboardInterrupt:
        pass  # a run takes half an hour; what it has found by now counts
    finally:
        _close(servers)
    return report


def _close(servers: list[Processes]) -> None:
    while servers:
        servers.pop().close()


def smallest(program: Program, processes: Processes) -> Program:
    """Returns the smallest program found that breaks the promise as this one does, ready to become a case."""
    wanted = judge(program, processes).verdict

    def fails(candidate: Program) -> bool:
        return judge(candidate, processes).verdict is wanted

    small = shrink(program, fails)
    for candidate in plainer(small):
        if fails(candidate):
            small = candidate
    return small
