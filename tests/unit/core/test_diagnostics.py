from nbmlops.core.diagnostics import (
    Diagnostic,
    Severity,
    SourceSpan,
    has_errors,
    render_diagnostic,
    render_diagnostics,
    sort_diagnostics,
)

SPAN = SourceSpan(
    "churn.ipynb", cell=7, cell_id="c7", line=3, col=5, end_line=3, end_col=7, source_line="x = df.head()"
)
ERROR = Diagnostic(
    "NB203", Severity.ERROR, "'df' is read by step 'train' but no earlier step defines it", SPAN, "tag it"
)
NOTE = Diagnostic("NB101", Severity.NOTE, "no step tags", SourceSpan("churn.ipynb"))


def test_the_text_form_names_the_place_and_points_at_the_columns() -> None:
    assert render_diagnostic(ERROR) == (
        "error[NB203]: 'df' is read by step 'train' but no earlier step defines it\n"
        "  --> churn.ipynb cell 7 line 3:5\n"
        "   |  x = df.head()\n"
        "   |      ^^\n"
        "  hint: tag it"
    )


def test_a_diagnostic_without_a_line_shows_the_file_only() -> None:
    assert render_diagnostics([NOTE, ERROR]).startswith("note[NB101]: no step tags\n  --> churn.ipynb\n\nerror[NB203]")


def test_sorting_follows_the_notebook_and_removes_duplicates() -> None:
    later = Diagnostic("NB101", Severity.WARNING, "x", SourceSpan("churn.ipynb", cell=9))
    assert sort_diagnostics([later, ERROR, NOTE, ERROR]) == (NOTE, ERROR, later)


def test_only_errors_refuse() -> None:
    assert has_errors([NOTE, ERROR])
    assert not has_errors([NOTE])


def test_the_json_form_has_the_promised_keys() -> None:
    assert ERROR.to_json() == {
        "code": "NB203",
        "severity": "error",
        "message": "'df' is read by step 'train' but no earlier step defines it",
        "cell": 7,
        "line": 3,
        "col": 5,
        "hint": "tag it",
    }
