import json
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from nbmlops.app.data.checks import May, check_value
from nbmlops.app.data.schemas import check, diff, export, infer
from nbmlops.app.show.views import CheckView
from nbmlops.cli.main import main
from nbmlops.core.errors import UsageError
from nbmlops.core.records import CheckFinding, CheckRecord

SCHEMA = "schema: nbmlops/frame-schema/1\ncolumns:\n  a: {type: integer, max: 2}  # ours\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with a schema and with data, and the schema's first version in git."""
    (tmp_path / "nbmlops.toml").write_text("")
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "flights.yaml").write_text(SCHEMA)
    (tmp_path / "flights.csv").write_text("a,b\n1,x\n2,y\n")
    (tmp_path / "may.csv").write_text("a,b\n1,x\n5,y\n")
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for command in (("init", "-q"), ("add", "schemas"), (*who, "commit", "-qm", "first")):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    return tmp_path


def test_data_is_checked_by_the_schema_of_its_name_or_another(root: Path) -> None:
    assert check(Path("flights.csv"), "", root) == CheckRecord("flights.csv", "flights", True)
    said = "a: 1 row above max 2 (5)"
    assert check(Path("may.csv"), "flights", root) == CheckRecord(
        "may.csv", "flights", False, (said,), (CheckFinding("a", "max", 1, ("5",), said),)
    )


def test_a_schema_is_inferred_once_and_widened_when_asked(root: Path) -> None:
    with pytest.raises(UsageError, match=r"there is a schema schemas/flights\.yaml already"):
        infer(Path("flights.csv"), "", root, update=False, force=False)
    view = infer(Path("may.csv"), "flights", root, update=True, force=False)
    assert (view.written, view.widened) == ("schemas/flights.yaml", ("a: 1 row above max 2 (5)",))
    assert (root / "schemas" / "flights.yaml").read_text() == SCHEMA.replace("max: 2", "max: 5")
    assert infer(Path("may.csv"), "flights", root, update=True, force=False).written == ""
    assert infer(Path("may.csv"), "flights", root, update=False, force=True).written == "schemas/flights.yaml"
    assert "# ours" not in (root / "schemas" / "flights.yaml").read_text()
    assert infer(Path("may.csv"), "", root, update=False, force=False) == CheckView(
        CheckRecord("may", "may", True), "schemas/may.yaml"
    )


def test_a_notebook_widens_and_a_pipeline_only_reads(root: Path) -> None:
    frame = pd.DataFrame({"a": [7]})
    assert not check_value(frame, "flights", root, May.READ).passed
    assert not check_value(frame, "flights", root, May.INFER).passed
    view = check_value(frame, "flights", root, May.WIDEN)
    assert repr(view).splitlines() == [
        "WIDENED schema flights lets flights pass now",
        "a: 1 row above max 2 (7)",
        "these rules were widened in schemas/flights.yaml: review and commit it",
    ]
    assert check_value(frame, "flights", root, May.READ).passed


def test_versions_are_compared(root: Path) -> None:
    (root / "schemas" / "flights.yaml").write_text(SCHEMA.replace("max: 2", "max: 1"))
    found = diff("flights@HEAD", "schemas/flights.yaml", root)
    assert (found.before, found.after, found.breaking) == ("schemas/flights.yaml@HEAD", "schemas/flights.yaml", True)
    assert not diff("flights", "flights@HEAD", root / "schemas").breaking
    assert diff("flights", "flights", root).changes == ()


def test_exports(root: Path) -> None:
    assert json.loads(export("flights", "mlflow", root)) == {
        "inputs": '[{"type": "long", "name": "a", "required": true}]', "outputs": None, "params": None,
    }  # fmt: skip
    assert "class Flights(BaseModel):" in export("schemas/flights.yaml", "pydantic", root)
    assert "class Flights(BaseModel):" in export("flights@HEAD", "pydantic", root)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda root: diff("flight", "flights", root),
         "there is no schema schemas/flight.yaml\nhint: did you mean 'flights'?"),
        (lambda root: diff("flights@nope", "flights", root),
         "git knows no revision 'nope'\nhint: name a commit, a branch or a tag: flights@main"),
        (lambda root: diff("flights@--help", "flights", root),
         "git knows no revision '--help'\nhint: name a commit, a branch or a tag: flights@main"),
        (lambda root: diff("may@HEAD", "flights", root),
         "there was no schema schemas/may.yaml in HEAD\nhint: name another revision"),
        (lambda root: check(Path("no.csv"), "flights", root),
         "no.csv does not exist\nhint: check the path: it counts from the current folder"),
        (lambda root: check(Path("nbmlops.toml"), "flights", root),
         ("nbmlops.toml is of a kind that is not read here\n"
         "hint: give a CSV, TSV, Parquet, Feather or JSON-lines file")),
        (lambda root: infer(Path("may.csv"), "a b", root, update=False, force=False),
         "'a b' cannot be the name of a schema\nhint: use letters, digits, '_', '-' and '.'"),
    ],
)  # fmt: skip
def test_what_cannot_be_found_says_so(root: Path, call, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        call(root)
    assert str(caught.value) == message


def test_bytes_that_are_no_text(root: Path) -> None:
    (root / "schemas" / "bad.yaml").write_bytes(b"a: \xff")
    with pytest.raises(UsageError, match=r"schemas/bad\.yaml is no UTF-8 text: byte 3"):
        diff("bad", "flights", root)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["schema", "check", "flights.csv"], 0),
        (["schema", "check", "may.csv", "--schema", "flights"], 5),
        (["schema", "check", "may.csv", "--schema", "flights", "--format", "json"], 5),
        (["schema", "infer", "may.csv"], 0),
        (["schema", "infer", "may.csv", "--name", "flights", "--update"], 0),
        (["schema", "diff", "flights@HEAD", "tight.yaml"], 5),
        (["schema", "diff", "flights", "flights", "--format", "json"], 0),
        (["schema", "export", "flights", "--to", "mlflow"], 0),
        (["schema", "chek"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_the_commands(
    root: Path, arguments: list[str], code: int, golden, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    (root / "tight.yaml").write_text(SCHEMA.replace("max: 2", "max: 1"))
    monkeypatch.chdir(root)
    assert main(arguments) == code
    shown = capsys.readouterr()
    name = "_".join(arguments).replace("--", "").replace("@", "_at_").replace(".", "_")
    golden(f"cli/{name}.txt", shown.out + shown.err)
