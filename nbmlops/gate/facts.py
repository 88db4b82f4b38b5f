"""What nbmlops knows of a run by itself, as numbers that rules may be about; one that is not known fails its rule."""

from __future__ import annotations

from collections.abc import Mapping

COUNTED: Mapping[str, str] = {
    "leaked_rows": "held-out rows that were trained on, by the columns that rows are known by (needs `--training`)",
    "failed_checks": "schema checks that failed; `of` names one schema",
    "failed_tests": "behaviour tests that failed or were not run; `of` names one test",
    "dirty_tree": "1 when the run was made from files that are not committed, or outside of git",
    "unhashed_data": "1 when the run has logged no fingerprint of any data",
    "unpinned_environment": "libraries of the run that are not those of its `requirements.lock`",
    "signature_changes": "columns of the features that differ from the champion's in name or type",
    "signature_breaks": "those of them that whoever calls the champion would have to add or change",
}
"""Facts of which none is the natural bound: a rule without `min` and `max` asks for 0."""

MEASURED: Mapping[str, str] = {
    "model_bytes": "size of the stored model (needs `--model`)",
    "latency_ms": "median time of predicting one row alone (needs `--model` and `--features`)",
    "drift": "greatest distance, 0 to 1, of a column of the training data from the champion's; `of` names other data",
}

FACTS: Mapping[str, str] = {**COUNTED, **MEASURED}
