"""What a run ran on: the commit of its folder, Python, the platform, versions of distributions.

`git` is asked with an argument list and without a shell; where there is no git, no repository or no commit, the commit
is "" and nothing fails.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from nbmlops.core.digest import Digest, digest_json
from nbmlops.core.git import ask_git


class GitState(Struct, frozen=True):
    """The commit that a folder stands at, "" when it has none, and whether tracked files differ from it."""

    commit: str = ""
    dirty: bool = False

    def __str__(self) -> str:
        return f"{self.commit}-dirty" if self.commit and self.dirty else self.commit


class EnvironmentFacts(Struct, frozen=True):
    """Python, the platform and the versions of distributions; `digest` covers all of them."""

    python: str
    platform: str
    packages: Mapping[str, str]
    digest: Digest


def git_state(folder: Path, sources: Sequence[Path] = ()) -> GitState:
    """Returns the commit of the repository that holds `folder`.

    Dirty means what `git describe --dirty` means by it: a tracked file was changed. Untracked files count only where
    they are named in `sources`: a notebook that was never committed is not what the commit says.

    Args:
        folder: Any folder of the working tree.
        sources: Files that the run is made from.
    """
    if not folder.is_dir():
        return GitState()
    commit = ask_git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    if not commit:
        return GitState()
    changed = ask_git(folder, "status", "--porcelain", "--untracked-files=no")
    untracked = bool(sources) and ask_git(folder, "ls-files", "--error-unmatch", "--", *map(_absolute, sources)) is None
    return GitState(commit.strip(), changed is None or bool(changed.strip()) or untracked)


def environment_facts(distributions: Iterable[str] = ()) -> EnvironmentFacts:
    """Returns the facts of this process's environment.

    Args:
        distributions: Names whose versions count; those that are not installed are left out.
    """
    packages = {name: found for name in sorted(set(distributions)) if (found := _version(name))}
    python = platform.python_version()
    system = f"{platform.system()}-{platform.machine()}".lower()
    digest = digest_json({"python": python, "platform": system, "packages": packages})
    return EnvironmentFacts(python, system, packages, digest)


def _version(distribution: str) -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  # slow; only runs that execute need it

    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def _absolute(path: Path) -> str:
    return str(path.absolute())
