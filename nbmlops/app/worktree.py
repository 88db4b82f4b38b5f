"""A commit of the project in a folder of its own, without touching the project's own working tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.core.git import ask_git

_SECONDS = 600


@contextmanager
def checked_out(root: Path, commit: str, *, keep: bool = False) -> Iterator[Path]:
    """Yields the project's root in a fresh working tree of a commit, which is removed at the end.

    Hooks of the repository are not run.

    Args:
        root: The project's root.
        commit: A full commit id.
        keep: Leave the folder where it is.

    Raises:
        UsageError: the project is in no git repository, or the commit is not in it.
        EnvironmentFault: the commit cannot be checked out.
    """
    prefix = ask_git(root, "rev-parse", "--show-prefix")
    if prefix is None:
        raise UsageError(f"{root} is in no git repository", "clone the repository that the version was made from")
    if ask_git(root, "cat-file", "-e", f"{commit}^{{commit}}") is None:
        raise UsageError(
            f"the commit {commit[:12]} is not in this repository",
            "fetch it: git fetch --unshallow, or clone the repository that the version was made from",
        )
    folder = Path(tempfile.mkdtemp(prefix="nbmlops-reproduce-"))
    tree = folder / (ask_git(root, "rev-parse", "--show-toplevel") or "tree").strip().rpartition("/")[2]
    try:
        _git(root, "worktree", "add", "--detach", "--force", str(tree), commit)
        yield tree / prefix.strip()
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
            ask_git(root, "worktree", "prune")


def _git(root: Path, *arguments: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-C", str(root), *arguments]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_SECONDS, stdin=subprocess.DEVNULL,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentFault(f"the commit cannot be checked out: {error}") from error
    if done.returncode:
        raise EnvironmentFault(f"the commit cannot be checked out: {done.stderr.strip():.500}", "look at git's message")
