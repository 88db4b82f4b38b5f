"""Imports papermill without a second of work that nobody asked for.

papermill imports nbformat, that jsonschema, and that (where Jupyter's server is installed, too) a checker of IRIs that
builds its grammar when it is imported: more than half of what importing papermill costs. Notebooks hold nothing that it
checks. The grammar is built when it is first needed, which changes nothing else.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

_LOCK = threading.Lock()
_GRAMMAR = "rfc3987_syntax"


def import_papermill() -> ModuleType:
    """Returns the module `papermill`."""
    with _LOCK, late_grammar():
        return import_module("papermill")


@contextmanager
def late_grammar() -> Iterator[None]:
    """Lets jsonschema, if it is imported meanwhile, build the grammar of IRIs when it checks the first one."""
    if _GRAMMAR in sys.modules or "jsonschema" in sys.modules:
        yield
        return
    stand_in = ModuleType(_GRAMMAR)
    stand_in.is_valid_syntax = _is_valid_syntax  # type: ignore[attr-defined]  # a module is made here
    sys.modules[_GRAMMAR] = stand_in
    try:
        yield
    finally:
        if sys.modules.get(_GRAMMAR) is stand_in:
            del sys.modules[_GRAMMAR]


def _is_valid_syntax(term: str, text: str) -> bool:
    return bool(import_module(_GRAMMAR).is_valid_syntax(term, text))
