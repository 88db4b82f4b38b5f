"""Running other programs to their end, quietly: what they say is told only when they fail."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

from nbmlops.core.errors import EnvironmentFault


def run_command(command: Sequence[str], environment: Mapping[str, str], seconds: float, fault: str, hint: str) -> None:
    """Returns when the program has ended well; it has no standard input.

    Args:
        command: The program and its arguments; no shell reads them.
        environment: Its variables.
        seconds: How long it may take.
        fault: What its failing means, for the message.
        hint: What helps then.

    Raises:
        EnvironmentFault: it cannot be started, takes too long or fails; the message has the last line that it said.
    """
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentFault(f"{fault}: {error}", hint) from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise EnvironmentFault(f"{fault}: {said[-1] if said else f'exit code {done.returncode}'}", hint)
