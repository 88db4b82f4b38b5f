"""Joined steps in words."""

from __future__ import annotations

from nbmlops.pipeline.run_record import JoinedSteps

_SHOWN = 3


def joined_text(joined: JoinedSteps) -> str:
    """Returns which steps run in one process, and why, as one line."""
    *others, last = joined.steps
    values = [f"`{value.name}` ({value.type})" for value in joined.values[:_SHOWN]]
    values += [f"{len(joined.values) - _SHOWN} more"] if len(joined.values) > _SHOWN else []
    what = " and ".join([", ".join(values[:-1]), values[-1]] if len(values) > 1 else values)
    return f"steps {', '.join(others)} and {last} run in one process: {what} cannot be stored"
