"""What examining an installation found, as blocks."""

from __future__ import annotations

from collections.abc import Iterator

from nbmlops.app.doctor import CheckStatus, Diagnosis
from nbmlops.cli.blocks import Block, Cell, Line, Table, Tone, cells

_CHECK_TONES = {CheckStatus.OK: Tone.GOOD, CheckStatus.WARNING: Tone.WARNING, CheckStatus.BLOCKER: Tone.BAD}


def diagnosis_blocks(diagnosis: Diagnosis) -> Iterator[Block]:
    """Yields every check, what was found, and what to do about it."""
    rows = tuple(
        (Cell(check.status.value, _CHECK_TONES[check.status]), *cells(check.name, check.found))
        for check in diagnosis.checks
    )
    yield Table("", ("status", "check", "found"), rows)
    for check in diagnosis.checks:
        if check.advice:
            yield Line(f"{check.name}: {check.advice}")
    blockers = sum(check.status is CheckStatus.BLOCKER for check in diagnosis.checks)
    yield Line(f"{blockers} blocker{'s' if blockers != 1 else ''}", Tone.BAD if blockers else Tone.GOOD)
