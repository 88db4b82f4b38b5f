"""The subcommands of `%mlops`: for each its arguments, the call that it stands for, and what compiling does with it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from msgspec import Struct

from nbmlops.core.errors import UsageError
from nbmlops.notebook.mlops_logging import (
    check_call,
    check_schema_arguments,
    data_arguments,
    data_call,
    figure_arguments,
    figure_call,
    metric_arguments,
    metric_call,
    param_arguments,
    param_call,
    predictions_arguments,
    predictions_call,
    test_arguments,
)
from nbmlops.notebook.mlops_schema_lines import check_arguments, diff_arguments, infer_arguments
from nbmlops.notebook.mlops_values import expression, plain_name, quoted, word
from nbmlops.notebook.model import MagicAction


class Subcommand(Struct, frozen=True):
    """One subcommand.

    Attributes:
        purpose: What it does, as a verb phrase.
        example: A line of it.
        action: What compiling does with its lines.
        add_arguments: Adds what it takes to a parser.
        to_python: Returns the call that a parsed line stands for; "" where it stands for none.
        flags: Options that take no value.
        named: What it takes is `NAME EXPR` or `NAME = EXPR`.
        several: What it takes is words.
    """

    purpose: str
    example: str
    action: MagicAction
    add_arguments: Callable[[argparse.ArgumentParser], None]
    to_python: Callable[[argparse.Namespace], str]
    flags: frozenset[str] = frozenset()
    named: bool = False
    several: bool = False


def _diff_arguments(parser: argparse.ArgumentParser) -> None:
    known = "a frame, a file, logged data as NAME or NAME~1 (the version before), or RUN:NAME"
    parser.add_argument("before", metavar="BEFORE", help=known)
    parser.add_argument("after", metavar="AFTER", help="likewise")


def _register_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", type=expression, help="the fitted model")
    parser.add_argument(
        "--data", metavar="FRAME", type=expression, required=True, help="the frame of features it was trained on"
    )
    parser.add_argument("--name", type=plain_name, help="the model's name in the registry (default: the notebook's)")


def _register(given: argparse.Namespace) -> str:
    name = f", name={quoted(given.name)}" if given.name else ""
    return f"nbmlops.register({given.model}, data={given.data}{name})"


def _track_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--experiment", type=word, help="the experiment (default: that of nbmlops.toml, or the notebook)"
    )
    parser.add_argument(
        "--notebook", metavar="PATH", type=word, help="this notebook's file, where it cannot be found out"
    )
    parser.add_argument("--name", type=word, help="a name for the run")
    parser.add_argument("--pause", action="store_true", help="record nothing until `%%mlops track` goes on")
    parser.add_argument(
        "--resume", action="store_true", help="go on with this kernel's run, or after a restart with the last one"
    )
    parser.add_argument("--stop", action="store_true", help="end the run")
    parser.add_argument(
        "--autolog", action="store_true", help="record what models are trained with, as MLflow's autologging tells it"
    )
    parser.add_argument("--figures", action="store_true", help="keep the figures that cells show")


def _notebook_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--notebook", metavar="PATH", type=word, help="the file (default: this notebook)")


def _compile_arguments(parser: argparse.ArgumentParser) -> None:
    _notebook_arguments(parser)
    parser.add_argument("-o", "--out", metavar="DIR", type=word, help="the pipeline's folder")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when what is on disk is stale")
    parser.add_argument("--force", action="store_true", help="overwrite generated files that were edited by hand")


def _run_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "pipeline", metavar="PIPELINE", type=word, nargs="?", help="its folder or name (default: that of this notebook)"
    )
    _notebook_arguments(parser)
    parser.add_argument(
        "-p", "--parameter", metavar="NAME=VALUE", type=word, action="append", help="set a parameter; repeatable"
    )
    parser.add_argument("--from", metavar="STEP", type=word, help="execute this step and those that need it")
    parser.add_argument("--to", metavar="STEP", type=word, help="stop after this step")
    parser.add_argument("--jobs", metavar="N", type=word, help="how many steps may run at once")
    parser.add_argument("--force", action="store_true", help="execute every step, whatever the cache has")
    parser.add_argument("--no-register", action="store_true", help="judge, but register no model")


def _runs_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "scope",
        metavar="SCOPE",
        type=word,
        nargs="?",
        help="a pipeline, a notebook or an experiment (default: this notebook)",
    )
    parser.add_argument("--sort", metavar="NAME", type=word, help="a metric (the best first), a parameter, or started")
    parser.add_argument("--most", metavar="N", type=word, help="how many runs, the newest ones (default: 50)")
    parser.add_argument("--reverse", action="store_true", help="the other way round")


def _compare_arguments(parser: argparse.ArgumentParser) -> None:
    known = "MODEL, MODEL@alias, MODEL/version or a run's id"
    parser.add_argument("before", metavar="A", nargs="?", help=f"{known} (default: the project's champion)")
    parser.add_argument("after", metavar="B", nargs="?", help=f"{known} (default: the run of this notebook)")


def _card_arguments(parser: argparse.ArgumentParser) -> None:
    known = "MODEL, MODEL@alias or MODEL/version (default: the project's only model)"
    parser.add_argument("model", metavar="MODEL", type=word, nargs="?", help=known)
    parser.add_argument("--store", action="store_true", help="keep it with the version")


def _lineage_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "subject",
        metavar="MODEL",
        type=word,
        nargs="?",
        help="MODEL, MODEL@alias, MODEL/version or a run's id (default: the run of this notebook)",
    )
    parser.add_argument("--data", metavar="HASH", type=word, help="what was made from this fingerprint, frame or file")
    parser.add_argument("--commit", metavar="SHA", type=word, help="what was made from this commit")


def _promote_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL[@ALIAS|/VERSION]", type=word, help="default: its challenger")
    parser.add_argument("--to", metavar="STAGE", type=word, help="what it becomes (default: champion)")
    parser.add_argument("--expect", metavar="VERSION", type=word, help="only if this version is champion now")
    parser.add_argument("--reason", metavar="TEXT", type=word, required=True, help="why; kept in the audit log")


def _rollback_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", type=word, help="its name in the registry")
    parser.add_argument("--to", metavar="VERSION", type=word, help="an earlier champion (default: the one before)")
    parser.add_argument("--reason", metavar="TEXT", type=word, required=True, help="why; kept in the audit log")


def _audit_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", type=word, nargs="?", help="its name (default: all models)")
    parser.add_argument("--against", metavar="FILE", type=word, help="JSON lines that were exported earlier")


def _reproduce_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL[@ALIAS|/VERSION]", type=word, help="default: its champion")
    parser.add_argument("--here", action="store_true", help="with the libraries that are here, and how they differ")
    parser.add_argument("--keep", action="store_true", help="leave the folder with the commit and the new run")
    parser.add_argument(
        "-p", "--parameter", metavar="NAME=VALUE", type=word, action="append", help="give a secret one again"
    )


def _step_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", type=word, help="the step that this cell belongs to")


def _no_arguments(_parser: argparse.ArgumentParser) -> None:
    """Adds nothing: the subcommand takes no arguments."""


def _gate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--waive", metavar="RULE", type=word, action="append", help="let it break this rule; repeatable"
    )
    parser.add_argument("--reason", metavar="TEXT", type=word, help="why the rule may be broken")
    parser.add_argument("--by", metavar="NAME", type=word, help="who answers for that")


def _gate(given: argparse.Namespace) -> str:
    if not given.waive:
        if given.reason or given.by:
            raise UsageError(
                "--reason and --by are about a waiver", 'write: %mlops gate --waive "RULE" --reason "…" --by NAME'
            )
        return "nbmlops.gate()"
    rules = ", ".join(map(quoted, given.waive))
    return f"nbmlops.gate(waive=[{rules}], reason={quoted(given.reason or '')}, by={quoted(given.by or '')})"


def _no_call(_given: argparse.Namespace) -> str:
    return ""


_DROP, _CALL = MagicAction.DROP, MagicAction.CALL
SUBCOMMANDS: Mapping[str, Subcommand] = {
    "track": Subcommand(
        "start or resume the tracked run of this notebook",
        "%mlops track --experiment flights",
        _DROP,
        _track_arguments,
        _no_call,
        frozenset({"pause", "resume", "stop", "autolog", "figures"}),
    ),
    "data": Subcommand(
        "fingerprint a frame or a file and log it as an input of the run",
        "%mlops data flights --name raw_flights --context training",
        _CALL,
        data_arguments,
        data_call,
    ),
    "data diff": Subcommand(
        "show what changed between two versions of some data",
        "%mlops data diff flights~1 flights",
        _DROP,
        _diff_arguments,
        _no_call,
        several=True,
    ),
    "check": Subcommand(
        "validate a frame against a stored schema",
        "%mlops check flights --schema flights",
        _CALL,
        check_schema_arguments,
        check_call,
        frozenset({"update"}),
    ),
    "schema infer": Subcommand(
        "write the schema that a frame or a file of data keeps",
        "%mlops schema infer flights",
        _DROP,
        infer_arguments,
        _no_call,
        frozenset({"update", "force"}),
        several=True,
    ),
    "schema check": Subcommand(
        "show whether a frame or a file of data keeps a schema, and stop nothing",
        "%mlops schema check data/may.csv --schema flights",
        _DROP,
        check_arguments,
        _no_call,
        several=True,
    ),
    "schema diff": Subcommand(
        "show what changed between two schemas, and whether it breaks data that passed",
        "%mlops schema diff flights@main flights",
        _DROP,
        diff_arguments,
        _no_call,
        several=True,
    ),
    "param": Subcommand(
        "log a parameter", "%mlops param n_features len(features)", _CALL, param_arguments, param_call, named=True
    ),
    "metric": Subcommand(
        "log a metric",
        "%mlops metric auc = roc_auc_score(y_test, scores)",
        _CALL,
        metric_arguments,
        metric_call,
        named=True,
    ),
    "figure": Subcommand(
        "log a figure",
        "%mlops figure roc = figure",
        _CALL,
        figure_arguments,
        figure_call,
        named=True,
    ),
    "predictions": Subcommand(
        "log predictions on held-out rows, for rules that compare models row by row",
        "%mlops predictions probability --truth y_test --features X_test --threshold 0.5",
        _CALL,
        predictions_arguments,
        predictions_call,
    ),
    "test": Subcommand(
        "run behaviour tests of the model: a function, or all of a module",
        "%mlops test checks.test_later_departure_raises_risk(model, X_test)",
        _CALL,
        test_arguments,
        lambda given: str(given.call),
    ),
    "gate": Subcommand(
        "judge the run by the rules of nbmlops.toml", "%mlops gate", MagicAction.GATE, _gate_arguments, _gate
    ),
    "register": Subcommand(
        "register the model, if the gate passed",
        "%mlops register model --data X_train",
        MagicAction.REGISTER,
        _register_arguments,
        _register,
    ),
    "promote": Subcommand(
        "make a model version the champion",
        '%mlops promote flights --reason "better in winter"',
        _DROP,
        _promote_arguments,
        _no_call,
    ),
    "rollback": Subcommand(
        "make the former champion champion again",
        '%mlops rollback flights --reason "wrong since noon"',
        _DROP,
        _rollback_arguments,
        _no_call,
    ),
    "audit": Subcommand(
        "show who did what to which version, and whether the log is whole",
        "%mlops audit flights",
        _DROP,
        _audit_arguments,
        _no_call,
    ),
    "reproduce": Subcommand(
        "make a model version again from its commit, and compare",
        "%mlops reproduce flights@champion",
        _DROP,
        _reproduce_arguments,
        _no_call,
        frozenset({"here", "keep"}),
    ),
    "status": Subcommand("show what this run has recorded, and where", "%mlops status", _DROP, _no_arguments, _no_call),
    "panel": Subcommand("show the run as a live panel", "%mlops panel", _DROP, _no_arguments, _no_call),
    "runs": Subcommand(
        "compare recent runs: a table that a click sorts, and pictures",
        "%mlops runs --sort auc",
        _DROP,
        _runs_arguments,
        _no_call,
        frozenset({"reverse"}),
    ),
    "diff": Subcommand(
        "show what differs between two runs or versions, code and data included",
        "%mlops diff flights@champion flights@challenger",
        _DROP,
        _compare_arguments,
        _no_call,
        several=True,
    ),
    "lineage": Subcommand(
        "show where this run, or a model version, comes from",
        "%mlops lineage flights@champion",
        _DROP,
        _lineage_arguments,
        _no_call,
    ),
    "card": Subcommand(
        "show the card of a model version: what is known of it, and what is missing",
        "%mlops card flights@champion",
        _DROP,
        _card_arguments,
        _no_call,
        frozenset({"store"}),
    ),
    "inspect": Subcommand(
        "show steps, dataflow and problems of this notebook", "%mlops inspect", _DROP, _notebook_arguments, _no_call
    ),
    "compile": Subcommand(
        "write the pipeline of this notebook",
        "%mlops compile",
        _DROP,
        _compile_arguments,
        _no_call,
        frozenset({"check", "force"}),
    ),
    "run": Subcommand(
        "run the compiled pipeline of this notebook, and show how it goes",
        "%mlops run -p max_depth=5",
        _DROP,
        _run_arguments,
        _no_call,
        frozenset({"force", "no-register"}),
    ),
    "step": Subcommand(
        "mark the step of a cell, as its first line",
        "%%mlops step train",
        MagicAction.UNWRAP,
        _step_arguments,
        _no_call,
    ),
}
