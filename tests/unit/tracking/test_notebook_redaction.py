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


def joined(document: dict[str, Any]) -> dict[str, Any]:
    """Returns the notebook with texts instead of lists of lines, as redaction leaves them."""
    found = copy.deepcopy(document)
    for cell in found["cells"]:
        cell["source"] = "".join(cell["source"])
    stream, display, error = found["cells"][1]["outputs"]
    stream["text"] = "".join(stream["text"])
    display["data"]["text/html"] = "".join(display["data"]["text/html"])
    error["traceback"] = ["\x1b[31mValueError\x1b[0m: bad \x1b[32m[redacted]"]
    return found


def test_everything_but_pictures_is_looked_at():
    redactor = Redactor({}, lambda: ())
    given = notebook("hunter2-xyz", KEY)
    assert redact_notebook(given, "a.ipynb", redactor) == joined(notebook("[redacted]", "[redacted]"))
    assert given == notebook("hunter2-xyz", KEY)
    assert {one.where for one in redactor.found} == {
        "a.ipynb cell 1",
        "a.ipynb cell 2",
        "output of a.ipynb cell 2",
        "output of a.ipynb cell 2 rows",
        "a.ipynb metadata widgets state value",
    }


def test_a_notebook_without_secrets_stays_as_it_is():
    given = joined(notebook("****", "nothing"))
    given["cells"][1]["outputs"][2]["traceback"] = ["ValueError"]
    assert redact_notebook(given, "a.ipynb", Redactor({}, lambda: ())) == given
