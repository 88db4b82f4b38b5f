"""The `nbmlops` command: finds the subcommand, turns every outcome into an exit code. Imports nothing heavy."""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Sequence
from typing import Any

import click

from nbmlops.cli.console import show_document, show_error
from nbmlops.cli.lazy_group import LazyGroup
from nbmlops.cli.options import JSON, SARIF, wants
from nbmlops.core.errors import ExitCode, Interrupted, NbmlopsError, UsageError

# name -> what the overview says of it. The module `nbmlops.cli.commands.NAME` is imported when it is called.
COMMANDS = {
    "inspect": "Show a notebook's steps, dataflow, parameters and problems.",
    "tag": "Propose steps for a notebook without tags, and write them into it.",
    "compile": "Write the pipeline of a notebook: package, step notebooks, CI.",
    "run": "Run a compiled pipeline: steps, gate, registration.",
    "explain": "Say which steps a run would execute, and why.",
    "verify": "Prove that notebook and pipeline agree, or show the first difference.",
    "data": "Keep versions of data files, in DVC's format.",
    "schema": "Infer, check, compare and export schemas of frames.",
    "gate": "Judge a run again by the rules of nbmlops.toml.",
    "register": "Register the model of a run whose verdict passes.",
    "promote": "Make a model version the champion.",
    "rollback": "Make the former champion champion again.",
    "audit": "Show, verify or export who did what to which version.",
    "runs": "Compare recent runs: a table, pictures, which is champion.",
    "diff": "Show what differs between two runs or model versions.",
    "lineage": "Tell where a model version or a run comes from, or what was made from some data.",
    "reproduce": "Make a model version again from what it remembers, and compare.",
    "card": "Write the card of a model version: what is known of it, and what is missing.",
    "lock": "Refresh the requirements.lock of a pipeline.",
    "sync": "Send what tracked notebooks could not tell their store.",
    "gc": "Show, and remove, stored results that nothing needs any more.",
    "doctor": "Say what is installed, reachable and configured.",
}

HELP = """\
From a tagged notebook to a gated, registered model.

\b
  nbmlops inspect churn.ipynb              what the compiler sees
  nbmlops compile churn.ipynb              write pipelines/churn/
  nbmlops run pipelines/churn -p depth=8   steps, gate, registration
  nbmlops promote churn --reason "winter"  make it the champion

Exit codes: 0 success, 1 a step failed, 2 usage or a fault in notebook or configuration, 3 rejected by the gate,
4 environment, 5 a comparison failed, 6 conflict, 70 a fault of nbmlops, 130 interrupted, 143 terminated.
"""


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from nbmlops.app.compiling.installed import own_version  # noqa: PLC0415  # reading metadata takes longer than all of `--help`

    click.echo(f"nbmlops {own_version()}")
    ctx.exit()


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    help=HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=False,
    invoke_without_command=True,
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
@click.option("--debug", is_flag=True, help="Show the traceback of every fault.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """The group; see `HELP`."""
    ctx.obj = {"debug": debug}
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code of the command line `arguments` (those of the process by default)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        # The process is ours, and short-lived: syntax trees are kept to the end, so looking for garbage in them again
        # and again would only make the time of compiling grow with the square of the notebook's length.
        gc.set_threshold(100_000, 50, 100)
        # At the end everything goes at once; Python would look through all of it for garbage before, several times.
        atexit.register(gc.freeze)
    debug = "--debug" in given[:1]
    try:
        result: Any = cli.main(args=given, prog_name="nbmlops", standalone_mode=False)
    except NbmlopsError as error:
        if debug:
            sys.stderr.write(_traceback(error))
        return _report(error, given)
    except click.ClickException as error:
        error.show()
        _document_fault(UsageError(error.format_message()), given)
        return int(ExitCode.USAGE)
    except (click.Abort, KeyboardInterrupt):
        return _report(Interrupted("interrupted"), given)
    except SystemExit:
        # Click's answer to a reader that is gone (`nbmlops … | head`). Its code 1 would mean that a step failed, and 0
        # would call a run that nobody could read about a success.
        return int(ExitCode.ENVIRONMENT)
    except Exception as error:  # noqa: BLE001 - the last resort: reported with its traceback
        return _report_internal(error, debug)
    return int(result) if isinstance(result, int) else int(ExitCode.SUCCESS)


def _report(error: NbmlopsError, arguments: Sequence[str]) -> int:
    show_error(error)
    _document_fault(error, arguments)
    return int(error.exit_code)


def _document_fault(error: NbmlopsError, arguments: Sequence[str]) -> None:
    """Prints the promised JSON document for a program that asked for one: its keys, empty, and the diagnostics."""
    if wants(SARIF, arguments):
        _sarif_of_fault(error)
    if not wants(JSON, arguments):
        return
    from nbmlops.cli.documents import fault_document  # noqa: PLC0415  # it knows all documents; only faults need it

    command = next((argument for argument in arguments if argument in COMMANDS), "")
    show_document(fault_document(f"nbmlops/{command or 'command'}/1", error))


def _sarif_of_fault(error: NbmlopsError) -> None:
    from nbmlops.app.compiling.installed import own_version  # noqa: PLC0415  # only faults need it
    from nbmlops.cli.documents import diagnostics_of  # noqa: PLC0415  # likewise
    from nbmlops.cli.sarif import fault_sarif  # noqa: PLC0415  # likewise

    show_document(fault_sarif(diagnostics_of(error), own_version()))


def _report_internal(error: Exception, debug: bool) -> int:
    import tempfile  # noqa: PLC0415  # a tenth of `--help`; only faults of our own need it

    report = _traceback(error)
    if debug:
        sys.stderr.write(report)
    sys.stderr.write(f"error: a fault of nbmlops itself: {type(error).__name__}: {error}\n")
    if not debug:
        with tempfile.NamedTemporaryFile(
            "w", prefix="nbmlops-fault-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(report)
        sys.stderr.write(f"hint: please report it with the traceback in {file.name}\n")
    return int(ExitCode.INTERNAL)


def _traceback(error: BaseException) -> str:
    import traceback  # noqa: PLC0415  # likewise

    return "".join(traceback.format_exception(error))
