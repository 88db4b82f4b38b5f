"""What a run was made from, beyond its tags: the source of its cells, its packages, what git did not have yet.

One JSON document among the run's artifacts, written once by the pipeline's runner or the notebook's session, read again
by `lineage` and `diff`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field

from nbmlops.core.diagnostics import Json
from nbmlops.core.digest import digest_bytes
from nbmlops.core.git import ask_git

SCHEMA = "nbmlops/provenance/1"
PROVENANCE_FILE = "nbmlops/provenance.json"
CARD = "card"
"""The tag of Markdown cells that belong to the card of a model."""
MOST_DIFF = 256 << 10
"""Characters of a git diff that are kept; of a longer one only its digest is."""
_DIST_INFO = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)\.dist-info")
_DIFF = ("diff", "HEAD", "--no-color", "--no-ext-diff", "--no-textconv", "--", ":/", ":(top,exclude)*.ipynb")


class CodeCell(Struct, frozen=True):
    """One code cell that a run was made from.

    Attributes:
        id: Its id in the notebook, "" where none is known.
        number: Its place in the notebook, or in the order of running where the notebook is not known; from 1.
        step: The step that it belongs to, "" for a notebook's own run.
        source: Its text.
    """

    id: str
    number: int
    step: str
    source: str


class GitDiff(Struct, frozen=True):
    """What tracked files, notebooks excepted, had beyond the commit; `text` is "" where it is too long to be kept."""

    sha256: str = ""
    text: str = ""


class Provenance(Struct, frozen=True):
    """What a run was made from.

    Attributes:
        notebook: The notebook relative to the project's root, "" where it is not known.
        cells: Its code cells in order; for a notebook's own run each as it ran last.
        packages: Name -> version of every distribution that was installed.
        diff: See `GitDiff`; empty for a clean tree.
        card: Texts of Markdown cells tagged `card`, for the card of the model.
    """

    notebook: str = ""
    cells: tuple[CodeCell, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    diff: GitDiff = field(default_factory=GitDiff)
    card: tuple[str, ...] = ()


def provenance_to_json(provenance: Provenance) -> dict[str, Json]:
    """Returns the document."""
    return {
        "schema": SCHEMA,
        "notebook": provenance.notebook,
        "cells": [
            {"id": cell.id, "number": cell.number, "step": cell.step, "source": cell.source}
            for cell in provenance.cells
        ],
        # As pairs in one text: a package may be called what a secret would be called.
        "packages": [f"{name}=={version}" for name, version in provenance.packages.items()],
        "diff": {"sha256": provenance.diff.sha256, "text": provenance.diff.text},
        "card": list(provenance.card),
    }


def provenance_from_json(document: Mapping[str, Json] | None) -> Provenance | None:
    """Returns what a document says; None where there is none, or one of another version."""
    if document is None or document.get("schema") != SCHEMA:
        return None
    cells, packages, diff = document.get("cells"), document.get("packages"), document.get("diff")
    card = document.get("card")
    return Provenance(
        notebook=str(document.get("notebook", "")),
        cells=tuple(map(_cell, cells)) if isinstance(cells, list) else (),
        packages=_packages(packages) if isinstance(packages, list) else {},
        diff=GitDiff(str(diff.get("sha256", "")), str(diff.get("text", ""))) if isinstance(diff, dict) else GitDiff(),
        card=tuple(map(str, card)) if isinstance(card, list) else (),
    )


def _packages(pairs: Sequence[Json]) -> dict[str, str]:
    parts = (str(pair).partition("==") for pair in pairs)
    return {name: version for name, _, version in parts}


def _cell(record: Json) -> CodeCell:
    plain = record if isinstance(record, dict) else {}
    number = plain.get("number", 0)
    return CodeCell(
        str(plain.get("id", "")),
        number if isinstance(number, int) else 0,
        str(plain.get("step", "")),
        str(plain.get("source", "")),
    )


def installed_packages(folders: Iterable[str] | None = None) -> dict[str, str]:
    """Returns name -> version of all distributions, by the names of their folders alone: a few milliseconds.

    Args:
        folders: Where to look; Python's own path by default. Of two versions the first one found counts, as in imports.
    """
    found: dict[str, str] = {}
    for folder in sys.path if folders is None else folders:
        try:
            names = [entry.name for entry in Path(folder or os.curdir).iterdir()]
        except OSError:  # zip files, and folders that are gone
            continue
        for match in filter(None, map(_DIST_INFO.fullmatch, names)):
            # Names are compared as the packaging standard (PEP 503) normalises them.
            found.setdefault(re.sub(r"[-_.]+", "-", match["name"]).lower(), match["version"])
    return dict(sorted(found.items()))


def git_diff(folder: Path) -> GitDiff:
    """Returns what tracked files have beyond the commit, those of notebooks left out: their cells are kept as such.

    Args:
        folder: Any folder of the working tree.
    """
    text = ask_git(folder, *_DIFF) or ""
    if not text:
        return GitDiff()
    return GitDiff(digest_bytes(text.encode("utf-8", "backslashreplace")), text if len(text) <= MOST_DIFF else "")
