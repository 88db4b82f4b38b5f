"""The front door of analysis: a notebook in, all facts and faults out.

The passes, in order: statements, names, what functions do, what statements do, where definitions go, steps and their
interfaces, rules. Called by `nbmlops.app.inspect` and by the compiler.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from types import MappingProxyType

from nbmlops.analysis.callgraph import summarize_functions
from nbmlops.analysis.closing import closing_names, merge_closing
from nbmlops.analysis.definitions import place_definitions
from nbmlops.analysis.flow import FlowWalker
from nbmlops.analysis.graph import Graph, Kept
from nbmlops.analysis.import_effects import imports_for_effect
