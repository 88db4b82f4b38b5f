"""The documentation says what the code does: pages are current, every code is told, every link leads somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from nbmlops.core.errors import ExitCode

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def generated() -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pages: dict[str, str] = module.pages()
    return pages


def test_generated_pages_are_current() -> None:
    on_disk = {name: (ROOT / "docs" / "reference" / name).read_text() for name in generated()}
    assert on_disk == generated(), "run `make docs`"


def test_every_diagnostic_code_of_the_source_has_a_section() -> None:
    sources = [path.read_text() for path in (ROOT / "nbmlops").rglob("*.py")]
    used = {code for text in sources for code in re.findall(r"\"(NB[1-9]\d\d)\"", text)}
    page = (ROOT / "docs/reference/diagnostics.md").read_text()
    told = re.findall(r"^## NB(\d\d\d)(?: to NB(\d\d\d))?:", page, re.MULTILINE)
    assert used == {f"NB{code}" for first, last in told for code in range(int(first), int(last or first) + 1)}


def test_every_diagnostic_of_names_parameters_and_settings_has_an_example() -> None:
    page = (ROOT / "docs/reference/diagnostics.md").read_text()
    sections = re.findall(r"^## (NB[234]\d\d)[^\n]*\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert [code for code, text in sections if "```text" not in text] == []


def test_every_exit_code_is_told() -> None:
    text = (ROOT / "docs/reference/exit-codes.md").read_text()
    assert [code.name for code in ExitCode if not re.search(rf"\b{int(code)}\b", text)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_relative_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_tests_that_the_table_of_faults_names_are_there() -> None:
    text = (ROOT / "docs/explanation/reliability.md").read_text()
    missing, folder = [], ""
    for found in re.findall(r"`((?:faults|unit|integration)/[\w/]+|test_\w+)`", text):
        place, _, name = found.rpartition("/")
        folder = place or folder  # one without a folder stands beside the one before it
        missing += [] if (ROOT / "tests" / folder / f"{name}.py").exists() else [f"{folder}/{name}"]
    assert missing == []


def test_every_page_is_found_from_the_first_one() -> None:
    text = (ROOT / "docs/README.md").read_text()
    pages = {page.relative_to(ROOT / "docs").as_posix() for page in PAGES if page.is_relative_to(ROOT / "docs")}
    found = {page for page in pages if f"]({page})" in text}
    assert sorted(page for page in pages - found if page != "README.md" and not page.startswith("adr/")) == []


def test_decisions_fit_on_a_page() -> None:
    long = {path.name: n for path in (ROOT / "docs/adr").glob("*.md") if (n := len(path.read_text().splitlines())) > 40}
    assert long == {}
