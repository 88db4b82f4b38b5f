"""`%mlops panel`: the run of this notebook as a live widget, and the same content as text and HTML beside it.

A notebook that is opened without its kernel, printed or read on a web site shows the static twin. Without the extra
`panel` (anywidget) the twin is all there is, with a hint.
"""

from __future__ import annotations

import functools
import weakref
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nbmlops import api
from nbmlops.app.cards import Card, render_html, render_text, tone
from nbmlops.app.session import NotebookSession, current_session, subscribe
from nbmlops.app.views import SessionStatus, StatusView
from nbmlops.core.diagnostics import Json
from nbmlops.core.errors import NbmlopsError

_STATIC = Path(__file__).parent / "static"
_MISSING = "this is a still picture; for a live panel: pip install 'nbmlops[panel]', then restart the kernel"


def show_panel() -> object:
    """Returns the panel: a widget that follows the run, or its still picture when anywidget is not installed."""
    status = api.status()
    if find_spec("anywidget") is None:
        return StillPanel(status)
    panel = _panel_class()()
    panel.show(status)
    alive = weakref.ref(panel)

    def follow(changed: NotebookSession) -> bool:
        """Returns whether the panel still exists and wants the next change."""
        widget = alive()
        if widget is None or widget.comm is None:
            return False
        widget.show(changed.status())
        return True

    subscribe(follow)
    return panel


class StillPanel:
    """The panel without anywidget: the state of the run at the moment of the call."""

    def __init__(self, status: StatusView) -> None:
        card = status.card()
        self._card = Card(card.state, card.title, card.tables, (*card.notes, _MISSING))

    def __repr__(self) -> str:
        return render_text(self._card)

    def _repr_html_(self) -> str:
        return render_html(self._card)


def card_to_json(card: Card) -> dict[str, Json]:
    """Returns the card as the plain value that the panel's script draws."""
    return {
        "state": card.state,
        "tone": tone(card),
        "title": card.title,
        "tables": [
            {"caption": table.caption, "head": list(table.head), "rows": [list(row) for row in table.rows]}
            for table in card.tables
        ],
        "notes": list(card.notes),
    }


@functools.cache
def _panel_class() -> Any:
    import anywidget
    import traitlets

    class Panel(anywidget.AnyWidget):  # type: ignore[misc]  # anywidget is not installed everywhere, so it is untyped here
        """A widget that shows one card and offers the gate."""

        _esm = _STATIC / "panel.js"
        _css = _STATIC / "panel.css"
        card = traitlets.Dict().tag(sync=True)
        can_gate = traitlets.Bool(default_value=False).tag(sync=True)
        busy = traitlets.Bool(default_value=False).tag(sync=True)

        def __init__(self) -> None:
            super().__init__()
            self._status = StatusView()
            self.on_msg(self._asked)

        def show(self, status: StatusView, problem: str = "") -> None:
            """Shows the status, and below it what went wrong."""
            self._status = status
            card = status.card()
            notes = (*card.notes, problem) if problem else card.notes
            self.card = card_to_json(Card(card.state, card.title, card.tables, notes))
            self.can_gate = status.status is SessionStatus.RUNNING

        def _asked(self, _widget: object, content: object, _buffers: object) -> None:
            if not (isinstance(content, dict) and content.get("kind") == "gate"):
                return
            self.busy = True
            problem = ""
            try:
                api.gate()
            except NbmlopsError as error:
                problem = str(error)
            finally:
                self.busy = False
            session = current_session()
            self.show(session.status() if session is not None else self._status, problem)

        def _repr_mimebundle_(self, **arguments: Any) -> Any:
            bundle = super()._repr_mimebundle_(**arguments)
            if bundle is None:
                return None
            data, *metadata = bundle if isinstance(bundle, tuple) else (bundle,)
            twin = {"text/plain": repr(self._status), "text/html": render_html(self._status.card())}
            return ({**data, **twin}, *metadata) if metadata else {**data, **twin}

    return Panel
