"""No secret is in anything that nbmlops writes: every byte of a notebook's run and of a pipeline's run is looked at."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
# In parts, so that no scanner takes this file for a leak, and so that what prints one does not hold it.
KEY = "AKIA" + "IOSFODNN7EXAMPLE"
SECRETS = {
    "a variable of the environment": "Env-Pw-44 é\"'<&>",
    "the address of the store's proxy": "Proxy-Pw-45",
    "a file of credentials": "Netrc-Pw-55",
    "an address in a source": "Url-Pw-22",
    "a literal in a source": "Literal-Key-33",
    "random text in a source": "kJ8dh3Ks02mSlq9vXyB7tR1z",
    "a key that a cell prints": KEY,
    "a variable that a cell sets": "Cell-Pw-77",
    "a parameter": "default-Pw-11",
    "a parameter's other value": "Over-Pw-66",
}
LOAD = """\
dsn = 'postgresql://bob:Url-Pw-22@db/x'
api_key = 'Literal-Key-33'
os.environ['CELL_TOKEN'] = 'Cell-' + 'Pw-77'
print(dsn, api_key, db_password, os.environ['DB_PASSWORD'], os.environ['CELL_TOKEN'])
rows = list(range(limit))
%mlops param endpoint dsn
%mlops param who os.environ['DB_PASSWORD']
nbmlops.param('config', {'proxy': os.environ['PROXY'], 'list': [api_key], os.environ['CELL_TOKEN']: 1})
{'password': db_password, 'rows': rows}"""
USE = """\
blob = 'kJ8dh3Ks02mSlq9vXyB7tR1z'
print('AKIA' + 'IOSFODNN7EXAMPLE', open(os.path.expanduser('~/.netrc')).read())
total = sum(rows)
%mlops metric total"""
FAIL = """\
if limit > 5:
    os.environ['CELL_TOKEN'] = 'Cell-' + 'Pw-77'
    raise ValueError(f"no login with {os.environ['DB_PASSWORD']!r}, {os.environ['CELL_TOKEN']}, {total}")"""
CELLS = [
    (["imports"], "import os\nimport nbmlops\n\n%load_ext nbmlops\n%mlops track --notebook line.ipynb"),
    (["parameters"], "db_password = 'default-Pw-11'\nlimit = 3"),
    (["step:load"], LOAD),
    (["step:use"], USE),
    (["step:fail"], FAIL),
]
HANDED_OVER = ".nbmlops/store/"
OWN = ("line.ipynb", "pipelines/line/", HANDED_OVER)
"""What the user wrote, what compiling made of it, and what steps hand over: there a secret computes."""


def copies(folder: Path, forms: dict[str, list[bytes]]) -> dict[str, list[str]]:
    """Returns which secrets are in which files of a folder, whatever kind of file."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith(OWN):
            content = path.read_bytes()
            hits = [what for what, ways in forms.items() if any(way in content for way in ways)]
            if hits:
                found[name] = hits
    return found


def ways(secret: str) -> list[bytes]:
    """Returns the secret as it may be written: as it is, and up to the first character that needs an escape."""
    return [secret.encode(), secret.split(" ", maxsplit=1)[0].encode()]


FORMS = {what: ways(secret) for what, secret in SECRETS.items()}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("project")
    (home / ".netrc").write_text("machine host login bob password Netrc-Pw-55\n")
    (home / ".netrc").chmod(0o600)
    document = nbformat.v4.new_notebook()
    for number, (tags, source) in enumerate(CELLS):
        document.cells.append(nbformat.v4.new_code_cell(source, id=f"c{number}", metadata={"tags": tags}))
    document.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (folder / "line.ipynb").write_text(nbformat.writes(document))
    (folder / "nbmlops.toml").write_text('[tracking]\nnotebook = "whole"\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("DB_PASSWORD", SECRETS["a variable of the environment"])
        patch.setenv("PROXY", "http://bob:Proxy-Pw-45@proxy:8080")
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])))
        patch.setenv("IPYTHONDIR", str(home / "ipython"))
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield folder


def command(project: Path, *arguments: str, expect: int = 0) -> None:
    """Runs the command; what it says is kept in the project, as in a log."""
    done = subprocess.run([sys.executable, "-m", "nbmlops", *arguments], cwd=project, capture_output=True, check=False)
    with (project / "said.log").open("ab") as log:
        log.write(done.stdout + done.stderr)
    assert done.returncode == expect, done.stderr.decode()


def test_a_run_of_a_pipeline(project: Path):
    command(project, "compile", "line.ipynb")
    command(project, "run", "line", "--events", "events-1.jsonl")
    command(project, "run", "line", "-p", "db_password=Over-Pw-66", "-p", "limit=9", "--events", "2.jsonl", expect=1)
    command(project, "run", "line", "--format", "json")
    command(project, "run", "line", "-p", "limit=AKIA" + "IOSFODNN7EXAMPLE", expect=2)
    assert copies(project, FORMS) == {}
    said = (project / "said.log").read_text()
    assert "secret taken out of what was stored: value of db_password" in said
    executed = max(project.glob("runs/line/*/01_load.ipynb")).read_text()
    assert "postgresql://bob:[redacted]@db/x [redacted] [redacted] [redacted] [redacted]" in executed
    assert any(b"[redacted]" in path.read_bytes() for path in project.glob("mlflow.db"))
    # What steps hand over is for its owner alone.
    kept = [path for path in (project / HANDED_OVER).rglob("*") if path.is_file()]
    assert any(b"Cell-Pw-77" in path.read_bytes() for path in kept)  # a variable that later steps may read
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in kept} == {0}


def test_what_a_pipeline_computes_is_what_the_notebook_computes(project: Path):
    command(project, "verify", "line.ipynb")


def test_a_run_of_a_notebook(project: Path):
    cells = [source for _, source in CELLS]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    notebook.cells.append(nbformat.v4.new_code_cell("%mlops status"))
    notebook.cells.append(nbformat.v4.new_code_cell("%mlops track --stop"))
    place = {"metadata": {"path": str(project)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=place).execute()
    assert copies(project, FORMS) == {}
    assert "secret taken out of what was stored: value of DB_PASSWORD" in str(notebook.cells[-2].outputs)
    (kept,) = project.glob("mlartifacts/*/artifacts/notebooks/line.ipynb")
    assert "api_key = '[redacted]'" in kept.read_text()
