"""Measures the compiler's promise on notebooks that other people wrote, cut into steps at several places.

    python benchmarks/corpus.py NOTEBOOKS.toml WORK                  compile, run and compare all of them
    python benchmarks/corpus.py NOTEBOOKS.toml WORK --compile-only   compile them, in seconds
    python benchmarks/corpus.py NOTEBOOKS.toml WORK --table          only print what was measured before

NOTEBOOKS.toml holds a table `[[notebook]]` for each one: `id`, `repo` ("owner/name"), `path`. WORK/src/<owner>+<name>
holds the files of each repository; what is measured goes to WORK/projects and WORK/results.jsonl. A result that is
there is not measured again, unless `--again` is given. Run it with the interpreter whose packages the notebooks need.

The cuts: `headings` begins a step below each Markdown heading, `cells` at every cell with code, `random-N` at 30 % of
them. Every pair of notebook and cut goes through `nbmlops verify`, with kernels for notebook and steps, and without
network where the system lets a process have that.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import shutil
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from nbmlops.app.compiling.compile import compile_options, open_source, star_names
from nbmlops.app.project import default_out
from nbmlops.compiler.compile import compile_notebook
from nbmlops.notebook.model import CellKind, Notebook
from nbmlops.notebook.reader import read_notebook
from nbmlops.notebook.retag import can_begin_step, without_step_tags

CUTS = ("headings", "cells", "random-1", "random-2", "random-3")
CHANCE = 0.3
DIGITS = 3
# Ends with the kernels that it started. Kernels talk over the loopback interface, which is down in a new namespace.
WITHOUT_NETWORK = ("unshare", "--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc")
LOOPBACK = """
import fcntl, os, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
    fcntl.ioctl(probe, 0x8914, struct.pack("16sH14s", b"lo", 0x1 | 0x40, b""))
os.execv(sys.argv[1], sys.argv[1:])
"""

Result = dict[str, Any]


class Entry(Struct, frozen=True):
    """A notebook of the list: its id there, its repository, and its path in that."""

    id: str
    repo: str
    path: str


def main() -> None:
    """Measures what the command line asks for and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--cuts", default=",".join(CUTS))
    parser.add_argument("--only", nargs="*", default=(), help="ids, or beginnings of them")
    parser.add_argument("--compile-only", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--timeout", type=float, default=900, help="seconds for one notebook and cut")
    asked = parser.parse_args()
    work = asked.work.resolve()
    results = work / ("compiled.jsonl" if asked.compile_only else "results.jsonl")
    entries = [
        Entry(item["id"], item["repo"], item["path"])
        for item in tomllib.loads(asked.notebooks.read_text("utf-8"))["notebook"]
        if not asked.only or item["id"].startswith(tuple(asked.only))
    ]
    cuts = asked.cuts.split(",")
    done = {} if asked.again else read_results(results)
    for entry in () if asked.table else entries:
        for cut in cuts:
            if (entry.id, cut) in done:
                continue
            result = {"id": entry.id, "cut": cut, **compile_facts(*prepare(entry, cut, work))}
            if not asked.compile_only and result["status"] == "compiled":
                result |= verify(*prepare(entry, cut, work), work, asked.timeout)
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(result) + "\n")
            print(told(entry, result), flush=True)
    known = read_results(results)
    print(table([known[entry.id, cut] for entry in entries for cut in cuts if (entry.id, cut) in known], cuts))


def read_results(path: Path) -> dict[tuple[str, str], Result]:
    """Returns what was measured before, the latest of each pair of notebook and cut."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return {(result["id"], result["cut"]): result for result in map(json.loads, lines)}


def prepare(entry: Entry, cut: str, work: Path) -> tuple[Path, int]:
    """Returns the copy of a notebook, tagged with the steps of a cut, and their number."""
    source = work / "src" / entry.repo.replace("/", "+")
    project = work / "projects" / entry.id
    if not project.exists():
        shutil.copytree(source, project, copy_function=os.link, symlinks=True)
        (project / "nbmlops.toml").write_text("", encoding="utf-8")
    document = json.loads((source / entry.path).read_bytes())
    begins = begins_of(read_notebook(source / entry.path), cut, entry.id)
    tag(document["cells"], begins)
    notebook = project / entry.path
    notebook.unlink(missing_ok=True)  # a link to the original
    notebook.write_text(json.dumps(document), encoding="utf-8")
    return notebook, len(begins)


def begins_of(notebook: Notebook, cut: str, seed: str) -> list[int]:
    """Returns the numbers of the cells that begin a step; the first cell that can always does."""
    draw = random.Random(f"{seed} {cut}")
    begins: list[int] = []
    headed = False
    for cell in notebook.cells:
        if cell.kind is CellKind.MARKDOWN:
            headed = headed or cell.source.lstrip().startswith(("#", "<h"))
        if not can_begin_step(cell):
            continue
        here = {"headings": headed, "cells": True}.get(cut)
        if not begins or (draw.random() < CHANCE if here is None else here):
            begins.append(cell.number)
        headed = False
    return begins


def tag(cells: Sequence[dict[str, Any]], begins: Sequence[int]) -> None:
    """Tags the cells that begin a step, in place, and takes other step tags away."""
    names = {number: f"s{position:0{DIGITS}}" for position, number in enumerate(begins, 1)}
    for number, cell in enumerate(cells, 1):
        own = [f"step:{names[number]}"] if number in names else []
        cell["metadata"]["tags"] = [*without_step_tags(cell["metadata"].get("tags", ())), *own]


def compile_facts(notebook: Path, steps: int) -> Result:
    """Returns what compiling gives, and its CPU time beside that of IPython's transformer and `ast.parse`."""
    source = open_source(str(notebook), notebook.parent)
    options = compile_options(source, default_out(source.root, source.name), "", (), star_names(source))
    begun = time.process_time()
    compiled = compile_notebook(open_source(str(notebook), notebook.parent).notebook, options)
    seconds = time.process_time() - begun
    errors = [
        [found.code, found.span.cell, found.message, found.span.source_line.strip()]
        for found in compiled.diagnostics
        if found.severity.value == "error"
    ]
    emitted = compiled.pipeline.steps if compiled.pipeline else ()
    return {
        "status": "refused" if errors or compiled.pipeline is None else "compiled",
        "cut_steps": steps,
        "steps": len(emitted),
        "functions": sum(step.mode.value == "function" for step in emitted),
        "verbatim": [[step.name, step.reason] for step in emitted if step.mode.value != "function"],
        "errors": errors,
        "others": dict(Counter(f"{d.code} {d.severity.value}" for d in compiled.diagnostics)),
        "compile_s": round(seconds, 4),
        "parse_s": round(parse_seconds(notebook), 4),
    }


def parse_seconds(notebook: Path) -> float:
    """Returns the CPU time of IPython's transformer and `ast.parse` over all cells."""
    from IPython.core.inputtransformer2 import TransformerManager

    cells = json.loads(notebook.read_bytes())["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    begun = time.process_time()
    transformer = TransformerManager()
    for source in sources:
        try:
            ast.parse(transformer.transform_cell(source))
        except SyntaxError:
            continue  # a cell magic of another language
    return time.process_time() - begun


def verify(notebook: Path, _steps: int, work: Path, timeout: float) -> Result:
    """Returns what `nbmlops verify` finds."""
    home = work / "home"
    home.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "nbmlops", "verify", notebook.name, "--format", "json"]
    environment = {
        **{name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "TERM", "TMPDIR"}},
        "HOME": str(home),
        "MPLCONFIGDIR": str(home / "matplotlib"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    begun = time.monotonic()
    ran = subprocess.Popen(
        [*isolation(), *command],
        cwd=notebook.parent,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        answer, errors = ran.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        ran.kill()
        ran.communicate()
        return {"status": "timeout", "seconds": round(time.monotonic() - begun, 1)}
    took = {"seconds": round(time.monotonic() - begun, 1)}
    if not answer.startswith("{"):
        return {**took, "status": "broken", "error": errors[-2000:]}
    return {**took, **verdict(json.loads(answer))}


def isolation() -> list[str]:
    """Returns the words before a command that keep it from the network; none where the system does not allow it."""
    user = () if os.getuid() == 0 else ("--map-root-user",)
    command = [WITHOUT_NETWORK[0], *user, *WITHOUT_NETWORK[1:], sys.executable, "-c", LOOPBACK]
    if shutil.which(command[0]) is None:
        return []
    allowed = subprocess.run([*command, sys.executable, "-c", ""], capture_output=True, check=False).returncode == 0
    return command if allowed else []


def verdict(document: Mapping[str, Any]) -> Result:
    """Returns what counts of the document that verify prints."""
    steps = document["steps"]
    return {
        "status": document["status"],
        "error": document["error"],
        "counts": document["counts"],
        "joined": document["joined"],
        "failed": [[step["name"], step["cells"], step["error"]] for step in steps if step["error"]],
        "unreached": sum(not step["reached"] for step in steps),
        "found": list(findings(steps)),
        "spent": document["seconds"],
    }


def findings(steps: Iterable[Mapping[str, Any]]) -> Iterator[list[Any]]:
    """Yields step, place, status and detail of everything that is not equal."""
    for step in steps:
        for kind, key in (("values", "name"), ("outputs", "cell"), ("logged", "name")):
            for item in step[kind]:
                if item["status"] != "equal":
                    yield [step["name"], f"{kind} {item[key]}", item["status"], item["detail"][:600]]


def told(entry: Entry, result: Result) -> str:
    """Returns a line about one notebook and cut."""
    words = [f"{result['status']:16}", entry.id[:6], f"{result['cut']:9}", f"{result['steps']:3} steps"]
    words += [f"{result.get('seconds', 0):6.1f} s", f"{entry.repo}:{entry.path}"]
    words += sorted({error[0] for error in result["errors"]})
    words += [f"{step}: {error[:100]}" for step, _, error in result.get("failed", ())]
    return " ".join(words)


def table(results: Sequence[Result], cuts: Sequence[str]) -> str:
    """Returns the figures, a line for each cut and one for all of them."""
    heads = ("notebooks", "right", "unlike itself", "different", "failed", "refused", "other")
    lines = [f"{'cut':9}  {'  '.join(heads)}  functions  borders  uncompared  compile/parse"]
    for cut in [*cuts, "all"]:
        those = [result for result in results if cut in {result["cut"], "all"}]
        if those:
            lines.append(row(cut, those))
    codes = Counter(error[0] for result in results for error in result["errors"])
    lines.append("refusals: " + (", ".join(f"{code} {number}" for code, number in codes.most_common()) or "none"))
    return "\n".join(lines)


def row(cut: str, results: Sequence[Result]) -> str:
    """Returns a line of the table. A notebook that does not run by itself counts as `other`."""
    kinds = Counter("broken step" if result.get("failed") else result["status"] for result in results)
    steps = sum(result["steps"] for result in results)
    compiled = [result for result in results if result["steps"]]
    borders = sum(max(result["cut_steps"] - 1, 0) for result in compiled)
    kept = sum(max(min(result["steps"], result["cut_steps"]) - 1, 0) - joined(result) for result in compiled)
    values = [result["counts"][kind] for result in results if "counts" in result for kind in ("values", "outputs")]
    compared = sum(sum(counts.values()) for counts in values)
    uncompared = sum(counts["uncompared"] for counts in values)
    ratio = sum(result["compile_s"] for result in results) / max(sum(result["parse_s"] for result in results), 1e-9)
    known = ("equal", "nondeterministic", "different", "broken step", "refused")
    cells = [len(results), *(kinds[kind] for kind in known), sum(kinds.values()) - sum(kinds[kind] for kind in known)]
    shares = [sum(result["functions"] for result in results) / max(steps, 1), kept / max(borders, 1)]
    shares.append(uncompared / max(compared, 1))
    widths = (10, 6, 14, 10, 7, 8, 6)
    text = " ".join(f"{number:>{width}}" for number, width in zip(cells, widths, strict=True))
    return f"{cut:9}{text}" + "".join(f"{share:>10.1%}" for share in shares) + f"{ratio:>14.1f}x"


def joined(result: Result) -> int:
    """Returns how many borders were given up when the pipeline ran."""
    return sum(len(group["steps"]) - 1 for group in result.get("joined", ()))


if __name__ == "__main__":
    main()
