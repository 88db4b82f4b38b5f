"""A generated program: cells of statements with tags, which is a case of the promise once it is written down."""

from __future__ import annotations

from dataclasses import dataclass

from tests.promise.harness import Case


@dataclass(frozen=True, slots=True)
class Block:
    """One top-level statement, its source and the constructs that it is made of."""

    source: str
    constructs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its tag ("" for none) and its statements."""

    tag: str
    blocks: tuple[Block, ...]

    @property
    def source(self) -> str:
        """Returns the cell's text."""
        return "\n".join(block.source for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Program:
    """A notebook, cut into steps by the tags of its cells; `given` sets parameters, `number` is what it came from."""

    cells: tuple[Cell, ...]
    given: str = ""
    number: int = 0

    @property
    def constructs(self) -> frozenset[str]:
        """Returns all constructs in it."""
        return frozenset(construct for cell in self.cells for block in cell.blocks for construct in block.constructs)

    @property
    def steps(self) -> int:
        """Returns how many steps it is cut into."""
        return len({cell.tag for cell in self.cells if cell.tag.startswith("step:")})

    def case(self, name: str = "generated") -> Case:
        """Returns the program as a case of the promise."""
        return Case(name, tuple((cell.tag, cell.source) for cell in self.cells if cell.blocks), self.given)

    def text(self, name: str, outcome: str = "") -> str:
        """Returns the program as one writes it into `tests/promise/cases`."""
        head = [f"=== {name}"]
        head += [f"given: {self.given}"] if self.given else []
        head += [f"outcome: {outcome}"] if outcome else []
        cells = [f"{cell.tag or '-'}\n{cell.source}" for cell in self.cells if cell.blocks]
        return "\n".join(head) + "\n" + "\n---\n".join(cells) + "\n"
