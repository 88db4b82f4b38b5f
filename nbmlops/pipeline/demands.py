"""What is asked of whoever runs a step (tries, time, resources) and of whoever starts a pipeline (when, which secrets).

The configuration says it, `pipeline.yaml` carries it, the runner and every target read it from there. None of it is
part of what a step computes, so none of it is part of a cache key.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

MOST_RETRIES = 100
_MEMORY = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s?([KMGT]?)(i?)B?")
_CRON = re.compile(r"[0-9A-Za-z*/,?L#-]{1,60}")
_SECRET = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


class Resources(Struct, frozen=True):
    """What a step needs of a machine: cores (0: not said), memory such as "4GiB" ("": not said), graphics cards."""

    cpu: float = 0.0
    memory: str = ""
    gpu: int = 0


class StepDemands(Struct, frozen=True):
    """What is asked for one step.

    Attributes:
        retries: How often it is tried again after it failed; only for steps that may run twice.
        backoff: Seconds before the first new try; each further one waits twice as long.
        timeout: Seconds that the step may take; None for any time.
        resources: What it needs of a machine.
    """

    retries: int = 0
    backoff: float = 0.0
    timeout: float | None = None
    resources: Resources = field(default_factory=Resources)


class Demands(Struct, frozen=True):
    """What is asked for a whole pipeline.

    Attributes:
        steps: Step name -> what is asked for it.
        schedule: When to run, as five fields of cron; "" for on demand.
        secrets: Names of the variables that hold secrets; never their values.
        own: Names of the steps that the settings of this very pipeline speak of.
    """

    steps: Mapping[str, StepDemands] = field(default_factory=dict)
    schedule: str = ""
    secrets: tuple[str, ...] = ()
    own: frozenset[str] = frozenset()


def is_memory(text: str) -> bool:
    """Returns whether `memory_bytes` knows how many bytes the text means."""
    return _MEMORY.fullmatch(text) is not None


def memory_bytes(text: str) -> int:
    """Returns the bytes that a text such as "512MiB", "4GB", "2Gi" or "1.5G" means.

    Raises:
        ValueError: it means none.
    """
    found = _MEMORY.fullmatch(text)
    if found is None:
        raise ValueError(text)
    number, power, binary = found.groups()
    base = 1024 if binary else 1000
    return int(float(number) * base ** " KMGT".index(power or " "))


def delay(backoff: float, tries: int) -> float:
    """Returns the seconds to wait before a step is tried again after so many tries: twice as long each time."""
    return backoff * 2.0 ** (max(tries, 1) - 1)


def step_faults(demands: StepDemands) -> Iterator[tuple[str, str]]:
    """Yields what is wrong with what is asked for a step, as key and message."""
    if not 0 <= demands.retries <= MOST_RETRIES:
        yield "retries", f"must be from 0 to {MOST_RETRIES}, but is {demands.retries}"
    if not 0 <= demands.backoff < math.inf:
        yield "backoff", f"must be a number of seconds, 0 or more, but is {demands.backoff:g}"
    if demands.timeout is not None and not 0 < demands.timeout < math.inf:
        yield "timeout", f"must be a number of seconds above 0, but is {demands.timeout:g}"
    if not 0 <= demands.resources.cpu < math.inf:
        yield "cpu", f"must be a number of cores, but is {demands.resources.cpu:g}"
    if demands.resources.gpu < 0:
        yield "gpu", f"must be 0 or more, but is {demands.resources.gpu}"
    if demands.resources.memory and not _MEMORY.fullmatch(demands.resources.memory):
        yield "memory", f'must be like "4GiB" or "500MB", but is {demands.resources.memory!r:.60}'


def pipeline_faults(schedule: str, secrets: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yields what is wrong with schedule and secrets, as key and message."""
    fields = schedule.split(" ")
    if schedule and not (len(fields) == 5 and all(map(_CRON.fullmatch, fields))):
        yield "schedule", f'must be five fields of cron, such as "0 6 * * 1", but is {schedule!r:.60}'
    for name in secrets:
        if not _SECRET.fullmatch(name):
            # A value pasted here by mistake must not be shown.
            yield "secrets", "must be names of variables (letters, digits, _); one of them is none: it is not shown"
