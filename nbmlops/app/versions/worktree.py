"""A commit of the project in a folder of its own, without touching the project's own working tree."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbmlops.app.commands import run_command
from nbmlops.core.errors import UsageError
from nbmlops.core.git import ask_git, git_environment

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
    command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-C", str(root), *arguments]
    run_command(command, git_environment(), _SECONDS, "the commit cannot be checked out", "look at git's message")
