"""What commands may load. Nearly all that a short command costs is loading its modules, so these sets keep it short."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

# Of the standard library, what takes long to load and is not needed to compile, or to find that nothing has changed.
SLOW = {"concurrent.futures", "email", "importlib.metadata", "logging", "pickle", "sqlite3", "subprocess", "xml"}
PROGRAM = """
import json, sys
before = set(sys.modules)  # what the environment loads when Python starts
from nbmlops.cli.main import main
code = main({arguments!r})
names = set(sys.modules) - before
own = sorted(name for name in names if name.startswith("nbmlops."))
other = {{"nbmlops", "typing_extensions"}}  # the latter is loaded by msgspec where it is installed
tops = {{name.partition(".")[0] for name in names}} - set(sys.stdlib_module_names) - other
libraries = sorted(n for n in tops if not n.startswith("_") and getattr(sys.modules[n], "__file__", ""))
print(json.dumps([code, own, libraries, sorted({slow!r} & names)]), file=sys.stderr)
"""


def loaded(folder: Path, *arguments: str) -> tuple[list[str], list[str], list[str]]:
    """Returns the own modules, the libraries and the slow parts of the standard library that a command loads."""
    program = PROGRAM.format(arguments=list(arguments), slow=SLOW)
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True)
    code, own, libraries, slow = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stderr
    return own, libraries, slow


def test_the_overview_loads_click_and_what_shows_faults(tmp_path: Path) -> None:
    own, libraries, slow = loaded(tmp_path, "--help")
    assert own == [
        "nbmlops.cli",
        "nbmlops.cli.blocks",
        "nbmlops.cli.console",
        "nbmlops.cli.lazy_group",
        "nbmlops.cli.main",
        "nbmlops.cli.options",
        "nbmlops.core",
        "nbmlops.core.diagnostics",
        "nbmlops.core.errors",
    ]
    assert (libraries, slow) == (["click", "msgspec"], [])


def test_compiling_loads_nothing_that_runs(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "code", "id": f"c{number}", "metadata": {"tags": [tag]}, "source": source}
        | {"outputs": [], "execution_count": None}
        for number, (tag, source) in enumerate([("imports", "import math"), ("step:a", "x = math.pi"), ("step:b", "x")])
    ]
    document = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "nbmlops.toml").write_text('[[gate.rules]]\nmetric = "auc"\nmin = 0.7\n')
    (tmp_path / "small.ipynb").write_text(json.dumps(document))
    loaded(tmp_path, "compile", "small.ipynb")  # makes the lock, which reads all installed distributions
    own, libraries, slow = loaded(tmp_path, "compile", "small.ipynb")
    packages = {name.split(".")[1] for name in own}
    assert packages == {"analysis", "app", "cli", "compiler", "core", "gate", "notebook", "pipeline", "runtime"}
    assert [name for name in own if name.startswith("nbmlops.runtime.")] == [
        "nbmlops.runtime.reuse",
        "nbmlops.runtime.reuse.libraries",
    ]
    assert [name for name in own if name.startswith("nbmlops.gate.")] == [
        "nbmlops.gate.facts",
        "nbmlops.gate.policy",
        "nbmlops.gate.rule_faults",
    ]
    assert not {"nbmlops.analysis.proposing.propose", "nbmlops.app.doctor", "nbmlops.cli.run_documents"} & set(own)
    assert (libraries, slow) == (["click", "jinja2", "markupsafe", "msgspec", "yaml"], ["pickle"])
