"""`%mlops reproduce`: a model version that is made again, shown in the notebook."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from nbmlops.app.show.cards import Card, Table
from nbmlops.app.show.views import View
from nbmlops.app.versions.reproduce import ReproduceRequest, Reproduction
from nbmlops.app.versions.reproduce import reproduce as reproduce_version
from nbmlops.ipython.run_command import shown
from nbmlops.notebook.mlops_lines import Options


class ReproduceView(View, Struct, frozen=True):
    """A version beside the one that was made again."""

    outcome: Reproduction

    def card(self) -> Card:
        """Returns every fact of both, and how the libraries differ."""
        outcome = self.outcome
        rows = tuple(
            ("EQUAL" if one.is_equal else "DIFFERENT", one.kind, one.name, one.recorded or "-", one.reproduced or "-")
            for one in outcome.compared
        )
        tables = [Table("compared", ("outcome", "what", "name", "recorded", "made now"), rows)]
        if outcome.environment:
            libraries = tuple((one.name, one.locked, one.here or "not installed") for one in outcome.environment)
            tables.append(Table(outcome.libraries, ("name", "locked", "here"), libraries))
        notes = (f"kept: {outcome.folder}",) if outcome.folder else ()
        return Card("EQUAL" if outcome.is_equal else "DIFFERENT", outcome.summary, tuple(tables), notes)


def reproduce(options: Options) -> ReproduceView:
    """Returns how a version compares with one that is made again now; raises what `reproduce_version` raises.

    What goes on is shown in a place of its own above; what the run says of its steps goes to the cell.
    """
    parameters = options.get("parameter", [])
    request = ReproduceRequest(
        str(options["model"]),
        Path.cwd(),
        here=bool(options.get("here")),
        keep=bool(options.get("keep")),
        parameters=tuple(parameters) if isinstance(parameters, list) else (),
    )
    show = shown(Card("RUNNING", f"making {request.text} again"))
    end = "FAILED"
    try:
        outcome = reproduce_version(request, lambda text: show(Card("RUNNING", text)))
        end = "REPRODUCED"
    finally:
        show(Card(end, request.text))
    return ReproduceView(outcome)
