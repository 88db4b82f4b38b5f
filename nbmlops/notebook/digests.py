"""What makes two cells, or two notebooks, the same to compiling."""

from __future__ import annotations

from nbmlops.core.digest import Digest, digest_json
from nbmlops.notebook.model import Cell, Notebook


def cell_digest(cell: Cell) -> Digest:
    """Returns the SHA-256 of the cell's source; tags, id and position do not count."""
    return digest_json(cell.source)


def notebook_digest(notebook: Notebook) -> Digest:
    """Returns the SHA-256 over kind, source and tags of all cells in order: what compiling reads.

    Outputs, execution counts, metadata of front ends, ids and the path do not count: "run all" changes nothing.
    """
    return digest_json([[cell.kind.value, cell.source, list(cell.tags)] for cell in notebook.cells])
