"""A notebook without secrets."""

from __future__ import annotations

import copy
from typing import Any

from nbmlops.tracking.notebook_redaction import redact_notebook
from nbmlops.tracking.redaction import Redactor

KEY = "AKIA" + "IOSFODNN7EXAMPLE"


def notebook(secret: str, key: str) -> dict[str, Any]:
    """Returns a notebook that shows two secrets in every way that the format has."""
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"widgets": {"state": {"value": f"see {secret}"}}, "kernelspec": {"name": "python3"}},
        "cells": [
            {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["Log in with\n", key]},
            {
                "cell_type": "code",
                "id": "b",
                "metadata": {"tags": ["step:x"]},
                "execution_count": 1,
                "source": ["password = ", f"'{secret}'"],
                "outputs": [
                    {"output_type": "stream", "name": "stdout", "text": ["see ", f"{secret}\n"]},
                    {
                        "output_type": "display_data",
                        "metadata": {},
                        "data": {
                            "text/html": [f"<b>{secret}</b>"],
                            "application/vnd.x+json": {"rows": [secret, 1]},
                            "image/png": "AKIAAAAAAAAAAAAAAAAAAAAA",
                        },
                    },
                    {
                        "output_type": "error",
                        "ename": "ValueError",
                        "evalue": f"bad {secret}",
                        "traceback": [f"\x1b[31mValueError\x1b[0m: bad \x1b[32m{secret[:4]}\x1b[39m{secret[4:]}"],
                    },
                ],
            },
        ],
    }


def lines(parts: list[str]) -> list[str]:
    return "".join(parts).splitlines(keepends=True)


def in_lines(document: dict[str, Any]) -> dict[str, Any]:
    """Returns the notebook with lists of lines, as nbformat writes and redaction leaves them."""
    found = copy.deepcopy(document)
    for cell in found["cells"]:
        cell["source"] = lines(cell["source"])
    stream, display, error = found["cells"][1]["outputs"]
    stream["text"] = lines(stream["text"])
    display["data"]["text/html"] = lines(display["data"]["text/html"])
    error["traceback"] = ["\x1b[31mValueError\x1b[0m: bad \x1b[32m[redacted]"]
    return found


def test_everything_but_pictures_is_looked_at():
    redactor = Redactor({}, lambda: ())
    given = notebook("hunter2-xyz", KEY)
    assert redact_notebook(given, "a.ipynb", redactor) == in_lines(notebook("[redacted]", "[redacted]"))
    assert given == notebook("hunter2-xyz", KEY)
    assert {one.where for one in redactor.found} == {
        "a.ipynb cell 1",
        "a.ipynb cell 2",
        "output of a.ipynb cell 2",
        "output of a.ipynb cell 2 rows",
        "a.ipynb metadata widgets state value",
    }


def test_a_notebook_without_secrets_stays_as_it_is():
    given = in_lines(notebook("****", "nothing"))
    given["cells"][1]["outputs"][2]["traceback"] = ["ValueError"]
    assert redact_notebook(given, "a.ipynb", Redactor({}, lambda: ())) == given
    for cell in given["cells"]:
        cell["source"] = "".join(cell["source"])
    assert redact_notebook(given, "a.ipynb", Redactor({}, lambda: ())) == given
