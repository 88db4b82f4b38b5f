"""What a run tells while it works: the runner's events, and the closing stages, which are no steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nbmlops.runtime.events import Event

Stage = Literal["track", "gate", "register"]


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A closing stage begins: waiting for the tracking store, judging, registering."""

    stage: Stage


Progress = Event | StageStarted
