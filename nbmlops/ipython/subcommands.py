"""What `%mlops` offers, for the list that it prints and for completion. The grammar: `nbmlops.notebook.mlops_lines`."""

from __future__ import annotations

from msgspec import Struct


class Subcommand(Struct, frozen=True):
    """One subcommand: what it does in a few words, one example line, its options."""

    name: str
    purpose: str
    example: str
    options: tuple[str, ...] = ()
    takes_names: bool = False


SUBCOMMANDS = (
    Subcommand(
        "track",
        "start or resume the run of this notebook",
        "%mlops track --experiment flights",
        ("--experiment", "--notebook", "--name", "--pause", "--resume", "--stop", "--autolog", "--figures"),
    ),
    Subcommand(
        "data",
        "fingerprint a frame or a file and log it as an input",
        "%mlops data flights --context training",
        ("--name", "--context"),
        takes_names=True,
    ),
    Subcommand(
        "data diff",
        "show what changed between two versions of data",
        "%mlops data diff flights~1 flights",
        takes_names=True,
    ),
    Subcommand(
        "check",
        "validate a frame against its schema",
        "%mlops check flights --schema flights",
        ("--schema", "--update"),
        True,
    ),
    Subcommand(
        "schema infer",
        "write the schema that data keeps",
        "%mlops schema infer flights",
        ("--name", "--update", "--force"),
        takes_names=True,
    ),
    Subcommand(
        "schema check",
        "show whether data keeps a schema",
        "%mlops schema check data/may.csv --schema flights",
        ("--schema",),
        takes_names=True,
    ),
    Subcommand("schema diff", "show what changed between two schemas", "%mlops schema diff flights@main flights"),
    Subcommand("param", "log a parameter", "%mlops param max_depth", (), takes_names=True),
    Subcommand("metric", "log a metric", "%mlops metric auc = roc_auc_score(y, p)", ("--step",), takes_names=True),
    Subcommand("figure", "log a figure", "%mlops figure roc = figure", (), takes_names=True),
    Subcommand(
        "predictions",
        "log predictions on held-out rows",
        "%mlops predictions probability --truth y_test --features X_test --threshold 0.5",
        ("--truth", "--features", "--rows", "--slices", "--threshold", "--training", "--model", "--name"),
        takes_names=True,
    ),
    Subcommand("test", "run behaviour tests", "%mlops test test_later(model, X_test)", (), takes_names=True),
    Subcommand("gate", "judge the run by the rules of nbmlops.toml", "%mlops gate", ("--waive", "--reason", "--by")),
    Subcommand(
        "register",
        "register the model if the gate passed",
        "%mlops register model --data X_train",
        ("--data", "--name"),
        takes_names=True,
    ),
    Subcommand(
        "promote",
        "make a model version the champion",
        '%mlops promote flights --reason "better in winter"',
        ("--to", "--expect", "--reason"),
    ),
    Subcommand(
        "rollback",
        "make the former champion champion again",
        '%mlops rollback flights --reason "wrong since noon"',
        ("--to", "--reason"),
    ),
    Subcommand("audit", "show who did what to which version", "%mlops audit flights", ("--against",)),
    Subcommand(
        "reproduce",
        "make a model version again from its commit, and compare",
        "%mlops reproduce flights@champion",
        ("--here", "--keep", "--parameter"),
    ),
    Subcommand("status", "show what this run has recorded, and where", "%mlops status"),
    Subcommand("panel", "show the run as a live panel", "%mlops panel"),
    Subcommand(
        "runs",
        "compare recent runs: a table that a click sorts, and pictures",
        "%mlops runs --sort auc",
        ("--sort", "--most", "--reverse"),
    ),
    Subcommand(
        "diff",
        "show what differs between two runs or versions, code and data included",
        "%mlops diff flights@champion flights@challenger",
    ),
    Subcommand(
        "lineage",
        "show where this run, or a model version, comes from",
        "%mlops lineage flights@champion",
        ("--data", "--commit"),
    ),
    Subcommand("card", "show the card of a model version", "%mlops card flights@champion", ("--store",)),
    Subcommand("inspect", "show steps, dataflow and problems of this notebook", "%mlops inspect", ("--notebook",)),
    Subcommand(
        "compile",
        "write the pipeline of this notebook",
        "%mlops compile",
        ("--notebook", "--out", "--check", "--force"),
    ),
    Subcommand(
        "run",
        "run the compiled pipeline of this notebook, and show how it goes",
        "%mlops run -p max_depth=5",
        ("--notebook", "--parameter", "--from", "--to", "--jobs", "--force", "--no-register"),
    ),
)


def find(name: str) -> Subcommand | None:
    """Returns the subcommand of that name, or None."""
    return next((subcommand for subcommand in SUBCOMMANDS if subcommand.name == name), None)
