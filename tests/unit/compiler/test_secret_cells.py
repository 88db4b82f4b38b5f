"""Secrets that stand in cells: told with their places, never shown."""

from __future__ import annotations

import json
import subprocess
import sys

from nbmlops.compiler.compile import compile_notebook
from nbmlops.compiler.program import Compiled, CompileOptions
from nbmlops.core.diagnostics import Diagnostic, Json, Severity, render_diagnostic
from nbmlops.notebook.reader import parse_notebook

RANDOM = "kJ8dh3Ks02mSlq9vXyB7tR1z"
KEY = "AKIAIOSFODNN7EXAMPLE"


def said(
    *cells: str | tuple[str, str], allowed: frozenset[str] = frozenset(), tags: tuple[str, ...] = ()
) -> list[Diagnostic]:
    """Returns what compiling says of a notebook, but for notes of reading it."""
    found = compiled_of(*cells, allowed=allowed, tags=tags).diagnostics
    return [diagnostic for diagnostic in found if not diagnostic.code.startswith("NB1")]


def compiled_of(
    *cells: str | tuple[str, str], allowed: frozenset[str] = frozenset(), tags: tuple[str, ...] = ()
) -> Compiled:
    """Returns what becomes of a notebook whose cells are code, or text where a pair says so; the first has the tags."""
    kinds = [("code", cell) if isinstance(cell, str) else cell for cell in cells]
    never_run: dict[str, Json] = {"outputs": [], "execution_count": None}
    plain: list[dict[str, Json]] = [
        {"id": f"c{number}", "cell_type": kind, "source": source, "metadata": {"tags": [] if number else [*tags]}}
        for number, (kind, source) in enumerate(kinds)
    ]
    code = [cell | never_run if cell["cell_type"] == "code" else cell for cell in plain]
    document = {"cells": code, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    options = CompileOptions("a.ipynb", "pipelines/a", no_secrets=allowed)
    return compile_notebook(parse_notebook(json.dumps(document).encode(), "a.ipynb"), options)


def test_a_password_is_told_with_its_place_and_the_edit_and_not_shown() -> None:
    (found,) = said("import os", "user = 'bob'\ndb_password = 'tr0ub4dor&3'")
    assert render_diagnostic(found) == (
        "warning[NB405]: the value of 'db_password' stands in the cell, and is a secret by its name\n"
        "  --> a.ipynb cell 2 line 2\n"
        "   |  db_password = '[redacted]'\n"
        '  hint: read it where it is needed, as os.environ["DB_PASSWORD"], and name it in nbmlops.toml: '
        '[pipelines.a] secrets = ["DB_PASSWORD"]; if it is none: [redaction] allow = ["db_password"]'
    )


def test_every_kind_is_found_where_it_stands() -> None:
    found = said(
        f"x = '{RANDOM}'\nkey = '{KEY}'",
        "url = 'postgresql://bob:s3cr3t@host/db'",
        f"%env API_TOKEN={RANDOM}9",
        ("markdown", "see https://bob:geheim12@wiki.org"),
    )
    assert [(one.span.cell, one.span.line, one.message, one.span.source_line) for one in found] == [
        (1, 1, "the value of 'x' stands in the cell, and is as random as a secret", "x = '[redacted]'"),
        (1, 2, "the value of 'key' stands in the cell, and is a secret: AWS Access Key", "key = '[redacted]'"),
        (
            2,
            1,
            "a secret stands in the cell: password in an address",
            "url = 'postgresql://bob:[redacted]@host/db'",
        ),
        (3, 1, "the value of 'API_TOKEN' stands in the cell, and is a secret by its name", "%env API_TOKEN=[redacted]"),
        (4, 1, "a secret stands in the cell: password in an address", "see https://bob:[redacted]@wiki.org"),
    ]
    assert found[4].hint == "take it out of the text; if it is none, tag the cell `nbmlops-ignore:NB405`"


def test_no_diagnostic_shows_a_secret_however_it_is_written() -> None:
    sources = (
        "password = 'pass' 'word-1'",
        "password = 'tab\\t-1'",
        "x = 1; " * 40 + "password = 'word-2'; undefined_name",
        "password = 'word-3'; print(undefined_name)",
        "pwd = 'abcd'; print(undefined_name)",
        f"keys = '''-----BEGIN PRIVATE KEY-----\n{RANDOM}\n-----END PRIVATE KEY-----'''\nprint(undefined_name)",
    )
    found = said(*sources)
    assert [one.code for one in found if one.severity is Severity.WARNING] == ["NB405"] * 6
    text = "\n".join(map(render_diagnostic, found))
    secrets = ("pass'", "word-1", "-1'", "word-2", "word-3", "abcd", RANDOM)
    assert [secret for secret in secrets if secret in text] == []


def test_what_is_allowed_or_ignored_is_not_told() -> None:
    allowed = frozenset({"db_password", KEY})
    assert said("db_password = 'tr0ub4dor&3'", f"key = '{KEY}'", allowed=allowed) == []
    assert said("# nbmlops: ignore=NB405\ndb_password = 'tr0ub4dor&3'") == []
    assert said(("markdown", "see https://bob:geheim12@wiki.org"), tags=("nbmlops-ignore:NB405",)) == []


def test_a_default_that_is_a_secret_is_computed_with_and_not_shown() -> None:
    compiled = compiled_of("db_password = 'tr0ub4dor&3'\ndepth = 3", "x = depth, db_password", tags=("parameters",))
    assert compiled.pipeline is not None
    assert compiled.shown is not None
    assert {one.name: one.default for one in compiled.pipeline.parameters} == {"db_password": "tr0ub4dor&3", "depth": 3}
    assert {one.name: one.default for one in compiled.shown.parameters} == {"db_password": "[redacted]", "depth": 3}


def test_a_notebook_without_secrets_loads_no_finder() -> None:
    script = (
        "import sys, json\nfrom nbmlops.compiler.secret_cells import find_secrets\n"
        "from nbmlops.notebook.reader import parse_notebook\n"
        "cell = {'id': 'a', 'cell_type': 'code', 'metadata': {}, 'outputs': [], 'execution_count': None,"
        " 'source': 'keys = sorted(frame, key=len)'}\n"
        "data = json.dumps({'cells': [cell], 'metadata': {}, 'nbformat': 4, 'nbformat_minor': 5}).encode()\n"
        "assert find_secrets(parse_notebook(data, 'a.ipynb')) == ()\n"
        "print([name for name in sys.modules if 'secret_sources' in name or 'detect_secrets' in name])\n"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "[]\n"
