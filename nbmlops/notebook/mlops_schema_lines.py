"""What `%mlops schema …` lines take: words, as on the command line."""

from __future__ import annotations

import argparse

from nbmlops.notebook.mlops_values import plain_name

_DATA = "a frame's name, or a file (CSV, TSV, Parquet, Feather, JSON lines)"
_SCHEMA = "a name in schemas/, a path, or either with @REVISION for what git has there"


def infer_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what `schema infer` takes."""
    parser.add_argument("data", metavar="DATA", help=_DATA)
    parser.add_argument("--name", type=plain_name, help="the schema's name (default: that of the data)")
    parser.add_argument("--update", action="store_true", help="widen the rules of an existing one that the data breaks")
    parser.add_argument("--force", action="store_true", help="infer it anew although there is one")


def check_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what `schema check` takes."""
    parser.add_argument("data", metavar="DATA", help=_DATA)
    parser.add_argument("--schema", help=f"{_SCHEMA} (default: the name of the data)")


def diff_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what `schema diff` takes."""
    parser.add_argument("before", metavar="BEFORE", help=_SCHEMA)
    parser.add_argument("after", metavar="AFTER", help="likewise")
