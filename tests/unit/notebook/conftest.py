"""Notebooks made of a few cells, as bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Ipynb = Callable[..., bytes]


def _cell(number: int, cell: str | tuple[str, ...] | dict[str, Any]) -> dict[str, Any]:
    if isinstance(cell, dict):
        return cell
    source, *tags = (cell,) if isinstance(cell, str) else cell
    if source.startswith("md:"):
        return {"cell_type": "markdown", "id": f"c{number}", "metadata": {}, "source": source[3:]}
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": f"c{number}",
        "metadata": {"tags": tags} if tags else {},
        "outputs": [],
        "source": source,
    }


@pytest.fixture(scope="session")
def ipynb() -> Ipynb:
    """Makes a notebook file: each cell is a source, `(source, tag, …)`, `"md:text"`, or the JSON of a whole cell."""

    def make(*cells: str | tuple[str, ...] | dict[str, Any], **changes: Any) -> bytes:
        document = {
            "cells": [_cell(number, cell) for number, cell in enumerate(cells, 1)],
            "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        return json.dumps(document | changes).encode()

    return make
