"""How compiling grows with the notebook: 10, 100 and 1,000 cells, beside the least that any compiler must do.

That least is IPython's transformer and `ast.parse` on every cell; all is CPU time of one process, the best of a few.
With the paths of real notebooks as arguments: what analysing them costs beside `ast.parse`, cut at their headings.
"""

from __future__ import annotations

import ast
import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from corpus import begins_of, tag

from nbmlops.analysis.analyze import analyze
from nbmlops.compiler.compile import compile_notebook
from nbmlops.compiler.program import CompileOptions
from nbmlops.core.syntax import parse
from nbmlops.notebook.reader import parse_notebook

SIZES = (10, 100, 1000)
CELLS_PER_STEP = 5
# What cells of real notebooks hold: a median of 16 cells, calls with a few arguments, frames changed in place.
CODE = """\
# The share of late flights, part {n}.
table_{n} = frame.groupby("carrier", observed=True)["delay"].agg(["mean", "count"]).sort_values("mean")
share_{n} = float((frame["delay"] > limit).mean())
frame["late_{n}"] = frame["delay"].clip(lower=0).rolling(window={n} + 2, min_periods=1).mean()
if share_{n} > 0.5:
    notes.append(f"part {n}: {{share_{n}:.2f}} late")
%time total = sum(row.delay for row in frame.itertuples())
table_{n}.head()
"""


def notebook(size: int) -> bytes:
    """Returns a notebook of that many code cells besides its shared ones, every five of them a step."""
    shared = {"imports": "import pandas as pd", "parameters": "limit = 15"}
    first = 'frame = pd.DataFrame({"carrier": ["AA", "UA"], "delay": [3.0, 40.0]})\nnotes = []'
    sources = [*shared.items(), ("step:load", first)]
    sources += [
        (f"step:part_{n // CELLS_PER_STEP}" if n % CELLS_PER_STEP == 0 else "", CODE.format(n=n)) for n in range(size)
    ]
    cells = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {"tags": [tag] if tag else []}, "source": source}
        | {"outputs": [], "execution_count": None}
        for n, (tag, source) in enumerate(sources)
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def seconds(work: Callable[[], object], repetitions: int) -> float:
    """Returns the least CPU time of a few repetitions, each with no tree of code from the one before it."""
    taken = []
    for _ in range(repetitions):
        parse.cache_clear()
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return min(taken)


def row(size: int) -> str:
    """Returns the costs for one size, as a line of the table.

    Raises:
        RuntimeError: the notebook does not compile, so that its times mean nothing.
    """
    from IPython.core.inputtransformer2 import TransformerManager

    data = notebook(size)
    sources = [cell["source"] for cell in json.loads(data)["cells"]]
    transformer = TransformerManager()
    python = [transformer.transform_cell(source) for source in sources]
    read = parse_notebook(data, "scaling.ipynb")
    options = CompileOptions("scaling.ipynb", "pipelines/scaling", name="scaling")
    if compile_notebook(read, options).pipeline is None:
        raise RuntimeError("the notebook of the benchmark does not compile")
    repetitions = 3 if size == SIZES[-1] else 7
    parsing = seconds(lambda: [ast.parse(one) for one in python], repetitions)
    least = parsing + seconds(lambda: [transformer.transform_cell(one) for one in sources], repetitions)
    works: list[Callable[[], object]] = [
        lambda: parse_notebook(data, "scaling.ipynb"),
        lambda: analyze(read),
        lambda: compile_notebook(read, options),
        lambda: compile_notebook(parse_notebook(data, "scaling.ipynb"), options),
    ]
    costs = [seconds(work, repetitions) for work in works]
    shown = "  ".join(f"{cost * 1e3:7.1f} ({cost / least:4.1f}x)" for cost in costs)
    return f"  {size:5}  {parsing * 1e3:9.1f}  {least * 1e3:7.1f}  {shown}"


def analysing(path: Path) -> tuple[float, float]:
    """Returns what `ast.parse` and what analysis of a real notebook takes, a step below each heading."""
    document = json.loads(path.read_bytes())
    tag(document["cells"], begins_of(parse_notebook(path.read_bytes(), path.name), "headings", path.name))
    read = parse_notebook(json.dumps(document).encode(), path.name)
    return seconds(lambda: [ast.parse(cell.python) for cell in read.cells], 5), seconds(lambda: analyze(read), 5)


def real(paths: list[str]) -> None:
    """Prints a row for each notebook, and one for all."""
    costs = {path: analysing(Path(path)) for path in paths}
    costs["all"] = (sum(cost[0] for cost in costs.values()), sum(cost[1] for cost in costs.values()))
    for path, (parsing, work) in costs.items():
        print(f"{parsing * 1e3:8.1f} ms  {work * 1e3:8.1f} ms  {work / parsing:5.1f}x  {path}")


def main() -> None:
    """Prints one row for each size, or for each notebook."""
    gc.set_threshold(100_000, 50, 100)  # as the command does
    if sys.argv[1:]:
        real(sys.argv[1:])
        return
    print("Compiling, CPU milliseconds (and times the least: transformer and ast.parse)")
    columns = "".join(f"  {name:>15}" for name in ("read", "analyse", "compile", "read + compile"))
    print(f"  {'cells':>5}  {'ast.parse':>9}  {'least':>7}{columns}")
    for size in SIZES:
        print(row(size), flush=True)


if __name__ == "__main__":
    main()
