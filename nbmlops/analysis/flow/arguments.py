"""The arguments of a call as the flow analysis sees them, and which of them arrives at which parameter."""

from __future__ import annotations

import ast

from msgspec import Struct, field

from nbmlops.analysis.flow.objects import NONE, Objects
from nbmlops.analysis.flow.record import Summary


class Arguments(Struct):
    """The evaluated arguments of a call, each with the expression it came from.

    `loose` says that their order is not that of the parameters, as in `Model.fit(model, x)`; `soft` that the function
    may be another one, as for a method that is found by its name only.
    """

    positional: list[tuple[ast.expr, Objects]] = field(default_factory=list)
    named: list[tuple[str, ast.expr, Objects]] = field(default_factory=list)
    changed_by_callback: bool = False
    loose: bool = False
    soft: bool = False

    def everything(self) -> list[tuple[ast.expr, Objects]]:
        """Returns all arguments, in order."""
        return [*self.positional, *((node, objects) for _, node, objects in self.named)]

    def objects(self) -> Objects:
        """Returns all objects that are handed over."""
        return NONE.union(*(objects for _, objects in self.everything()))

    def for_parameter(self, summary: Summary, name: str, first: int) -> list[tuple[ast.expr, Objects]]:
        """Returns what may arrive at a parameter; `first` is 1 when the receiver takes the first place."""
        starred = any(isinstance(node, ast.Starred) for node, _ in self.positional)
        doubled = any(not keyword for keyword, _, _ in self.named)
        found = [(node, objects) for keyword, node, objects in self.named if keyword in {name, ""}]
        if self.loose or starred or doubled or name in summary.variadic:
            return self.everything()
        if name in summary.arguments:
            position = summary.arguments.index(name) - first
            if 0 <= position < len(self.positional):
                found.append(self.positional[position])
        return found
