"""The graph of the steps of a verified notebook: each box coloured by its verdict."""

from __future__ import annotations

from collections.abc import Sequence

from nbmlops.app.verify.report import ComparedStep
from nbmlops.cli.step_graph import GraphStep, draw_graph


def step_graph(steps: Sequence[ComparedStep]) -> str:
    """Returns the SVG; every step links to the section whose id is `step-` and its position."""
    return draw_graph(
        [
            GraphStep(
                step.name, tuple(step.after), step.status.value, step.status.value if step.reached else "not reached"
            )
            for step in steps
        ]
    )
