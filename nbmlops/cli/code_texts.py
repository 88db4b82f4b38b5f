"""What each code of a diagnostic means, for the documentation and for programs that show it beside a result."""

from __future__ import annotations

import inspect
import re
from types import ModuleType

from nbmlops.analysis import suppress
from nbmlops.analysis.rules import RULES
from nbmlops.compiler import secret_cells
from nbmlops.notebook.codes import CODES, CUT_CODES

_OF_LINES = (
    "line that belongs to two places",
    "*error.* A line such as `import os; files = []` would have to be cut apart; code is only moved by whole lines.",
)
_SEVERAL = re.compile(r"NB(\d+) to NB(\d+)")


def code_texts() -> dict[str, tuple[str, str]]:
    """Returns code -> title and text, for everything that can be found in a notebook; "NB301 to NB304" is one key."""
    texts = {
        code.code: (code.title, f"*{code.severity}.* {code.why}") for code in (*CODES.values(), *CUT_CODES.values())
    }
    texts |= dict(_of_module(rule) for rule in (*RULES.values(), secret_cells))
    _, text = _of_module(suppress)[1]
    return texts | {suppress.CODE: ("suppression without effect", f"*note.* {text}"), "NB501": _OF_LINES}


def text_of(code: str, texts: dict[str, tuple[str, str]]) -> tuple[str, str]:
    """Returns title and text of one code, empty for one that is not known; white space and markup are plain."""
    for key, (title, text) in texts.items():
        several = _SEVERAL.fullmatch(key)
        if key == code or (several and several[1] <= code.removeprefix("NB") <= several[2]):
            return title, " ".join(text.replace("*", "").split())
    return "", ""


def _of_module(module: ModuleType) -> tuple[str, tuple[str, str]]:
    first, _, rest = (inspect.getdoc(module) or "").partition("\n")
    codes, _, title = first.partition(":")
    return codes, (title.strip().rstrip("."), rest.strip())
