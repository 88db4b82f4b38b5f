"""What tagging has to say, as blocks."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence

from nbmlops.analysis.proposing.proposal import Proposal, ProposedStep, StepsFrom
from nbmlops.app.compiling.tag import TagOutcome, TagStatus
from nbmlops.cli.blocks import Block, Line, Table, Tone, cells
from nbmlops.core.diagnostics import Severity


def tag_blocks(outcome: TagOutcome) -> Iterator[Block]:
    """Yields the steps with their reasons, the other tags, borders that were left out, and what to do next."""
    notebook, proposal = outcome.notebook, outcome.proposal
    title = f": {notebook.title}" if notebook.title else ""
    yield Line(f"{notebook.path}{title}", Tone.STRONG)
    yield Line()
    for step in proposal.steps:
        yield from _step_lines(step)
    yield Line()
    if proposal.tags:
        rows = tuple(cells(str(tag.cell), tag.tag, tag.why) for tag in proposal.tags)
        yield Table("other tags", ("cell", "tag", "why"), rows)
    for reason, borders in proposal.left_out().items():
        places = ranges(border.cell for border in borders)
        yield Line(f"left out: {_counted(len(borders), 'border')} above cell {places}: {reason}", Tone.WARNING)
    errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in outcome.diagnostics)
    if errors:
        count = _counted(errors, "error")
        yield Line(f"compiling would refuse the notebook: {count}; see nbmlops inspect", Tone.WARNING)
    yield from _ending(outcome, proposal)


def _step_lines(step: ProposedStep) -> Iterator[Line]:
    """Yields a step as lines rather than as a row, as `inspect` does: reasons do not fit into columns."""
    yield Line(f"{step.name}  (cell{'s' if len(step.cells) != 1 else ''} {ranges(step.cells)})", Tone.STRONG)
    sources = dict.fromkeys(value.step for value in step.inputs)
    reads = "; ".join(
        f"{', '.join(value.name for value in step.inputs if value.step == source)} from {source}" for source in sources
    )
    facts = {"why": "; ".join(step.reasons), "reads": reads, "crossing": ", ".join(step.crossing)}
    yield from (Line(f"  {name:<8}  {text}") for name, text in facts.items() if text)


def _ending(outcome: TagOutcome, proposal: Proposal) -> Iterator[Line]:
    path = shlex.quote(outcome.notebook.path)
    count, changed = _counted(len(proposal.steps), "step"), _counted(len(outcome.written), "cell")
    if not proposal.steps:
        yield Line("the notebook stays in one piece: no border was found that it can be cut at")
    elif outcome.status is TagStatus.WRITTEN:
        yield Line(f"{count}; wrote the tags of {changed} into {outcome.notebook.path}", Tone.GOOD)
        yield Line(f"next: nbmlops compile {path}")
    elif not outcome.written:
        yield Line(f"{count} proposed: those that the notebook has", Tone.GOOD)
    else:
        options = " --retag" if outcome.replaces else ""
        options += "" if proposal.source is StepsFrom.INFERRED else f" --steps {proposal.source.value}"
        yield Line(f"{count} proposed; nothing was written")
        yield Line(f"next: nbmlops tag {path}{options} --write, which changes the tags of {changed}")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"


def ranges(numbers: Iterable[int]) -> str:
    """Returns numbers as text, neighbours joined: "4-7, 9"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(_run(run) for run in runs)


def _run(run: Sequence[int]) -> str:
    return str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}"
