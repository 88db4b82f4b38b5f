"""Asking git, with an argument list and without a shell; where it has no answer, nothing fails."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_SECONDS = 10


def ask_git(folder: Path, *arguments: str) -> str | None:
    """Returns what `git -C folder …` prints, or None where there is no git, no repository, or git says no.

    Args:
        folder: Any folder of the working tree.
        arguments: The command and its arguments.
    """
    environment = git_environment()
    # The lock is only for refreshing the index; a monitor named in a repository's configuration would be run.
    environment["GIT_OPTIONAL_LOCKS"] = "0"
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    try:
        result = subprocess.run(
            command, capture_output=True, check=False, env=environment, timeout=_SECONDS, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.decode("utf-8", "replace") if result.returncode == 0 else None


def git_environment() -> dict[str, str]:
    """Returns the variables of this process without git's own: inside a hook they name the hook's repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
