"""`%mlops panel`: the run of this notebook as a live widget, and the same content as HTML and as text beside it.

A notebook that is opened without its kernel, printed or read on a web site shows the HTML, which is brought up to date
when things are quiet. Without the extra `panel` (anywidget) it is all there is, with a hint; a terminal gets the text.
"""

from __future__ import annotations

import functools
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

from nbmlops.app.panel.feed import PanelFeed
from nbmlops.app.panel.html import panel_html
from nbmlops.app.panel.model import Notice, PanelView, Progress, Tone, to_json
from nbmlops.app.panel.text import panel_text
from nbmlops.app.panel.view import Moment, panel_view
from nbmlops.app.session.current import current_session
from nbmlops.app.session.listeners import subscribe
from nbmlops.ipython.panel_actions import ACTIONS, act

_STATIC = Path(__file__).parent / "static"
_MISSING = "this is a still picture; for a live panel: pip install 'nbmlops[panel]', then restart the kernel"
# Who opens the notebook later would take "running" for now.
_STILL = Notice(Tone.QUIET, "A still picture: how things stood when the notebook was last brought up to date")
_open: list[LivePanel] = []  # at most one: a kernel has one run, and every place that shows it shows the same panel


def show_panel() -> object:
    """Returns the panel: a widget that follows the run, or its still picture where nothing could follow it."""
    from IPython import get_ipython

    shell = get_ipython()
    if find_spec("anywidget") is None:
        return StillPanel(_MISSING)
    if not hasattr(shell, "kernel"):  # a terminal
        return StillPanel()
    return live_panel(shell)


def live_panel(shell: Any) -> LivePanel:
    """Returns the panel of this kernel: the one that is open, or a new one.

    Args:
        shell: IPython's shell, whose variables its buttons read.
    """
    _open[:] = [panel for panel in _open if panel.is_open]
    if not _open:
        _open.append(LivePanel(shell))
    return _open[0]


class StillPanel:
    """The panel at the moment of the call.

    Args:
        hint: What to say beside it.
    """

    def __init__(self, hint: str = "") -> None:
        session, hints = current_session(), (Notice(Tone.QUIET, hint),) if hint else ()
        moment = Moment()
        if session is not None:
            moment = Moment(session.status(), session.series, cells=session.cells, made=session.made)
        view = panel_view(moment)
        self._view, self._hints = view, hints

    def __repr__(self) -> str:
        return "\n".join([panel_text(self._view), *(hint.title for hint in self._hints)])

    def _repr_html_(self) -> str:
        return panel_html(self._view, self._hints)


def bundle(view: PanelView) -> dict[str, str]:
    """Returns the picture of a panel for those who have no kernel, and for those who have no pictures."""
    return {"text/plain": panel_text(view), "text/html": panel_html(view, (_STILL,))}


class LivePanel:
    """A panel that shows the views of its feed and does what its buttons ask for.

    Args:
        shell: IPython's shell.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._places: list[str] = []
        self.feed = PanelFeed(self._show, self._keep)
        self.widget = _widget_class()(view=to_json(self.feed.view))
        self.widget.on_msg(self._asked)
        subscribe(self.feed.changed)
        self.feed.start()

    @property
    def is_open(self) -> bool:
        """Whether it can still be shown."""
        return self.widget.comm is not None

    def close(self) -> None:
        """Ends the panel."""
        self.feed.close()
        self.widget.close()

    def _show(self, view: PanelView) -> None:
        if self.is_open:
            self.widget.view = to_json(view)
        else:
            self.feed.close()

    def _keep(self, view: PanelView) -> None:
        """Puts the picture of now into the notebook's file, wherever the panel was shown."""
        for place in self._places:
            self._publish(view, place, update=True)

    def _ipython_display_(self) -> None:
        self._places.append(uuid4().hex)
        self._publish(self.feed.view, self._places[-1], update=False)

    def _publish(self, view: PanelView, place: str, *, update: bool) -> None:
        data = {**self.mimebundle(), **bundle(view)}
        self._shell.display_pub.publish(data=data, metadata={}, transient={"display_id": place}, update=update)

    def mimebundle(self) -> dict[str, Any]:
        """Returns what a front end needs to show the widget."""
        found = self.widget._repr_mimebundle_() or {}
        return dict(found[0] if isinstance(found, tuple) else found)

    def _asked(self, _widget: object, content: object, _buffers: object) -> None:
        """Does what a button asks for; called by the kernel between cells."""
        known = self.feed.progress
        match content:
            # What was clicked before the last action had ended was not meant for what is there now.
            case {"kind": "act", "action": str(action), "turn": known.turn} if action in ACTIONS and not known.busy:
                self._act(action, known)
            case _:
                return

    def _act(self, action: str, known: Progress) -> None:
        self.feed.set_progress(Progress(action, known.turn))
        outcome: Notice | None = None
        try:
            outcome = act(action, self._shell.user_ns)
        finally:  # whatever happens, the buttons can be pressed again
            self.feed.set_progress(Progress("", known.turn + 1, outcome))


@functools.cache
def _widget_class() -> Any:
    import anywidget
    import traitlets

    class PanelWidget(anywidget.AnyWidget):  # type: ignore[misc]  # it is not installed everywhere, and so untyped here
        """Sends one view."""

        _esm = _STATIC / "panel.js"
        _css = _STATIC / "panel.css"
        view = traitlets.Dict().tag(sync=True)

    return PanelWidget
