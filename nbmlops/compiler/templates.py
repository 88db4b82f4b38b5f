"""Whole-file templates: found beside the package in a source checkout, inside of it in a wheel; rendered by Jinja2.

Values reach a template through filters that make them inert (`md`, `code`, `py`); a missing name is an error.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from nbmlops.compiler.targets import markdown, quoting

if TYPE_CHECKING:
    from jinja2 import Environment

_PACKAGE = Path(__file__).resolve().parents[1]
_PLACES = (_PACKAGE / "_templates", _PACKAGE.parent / "templates")


def templates_folder() -> Path:
    """Returns the folder of the templates.

    Raises:
        FileNotFoundError: the installation is broken.
    """
    for place in _PLACES:
        if place.is_dir():
            return place
    raise FileNotFoundError(f"the templates of nbmlops are missing: neither {_PLACES[0]} nor {_PLACES[1]} exists")


def text(name: str) -> str:
    """Returns the text of a file such as "github/summary.py.txt" that is written as it stands."""
    return (templates_folder() / name).read_text("utf-8")


def render(template: str, **values: object) -> str:
    """Returns the text of a template such as "pipeline/README.md.j2" with the values put in."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(templates_folder()),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  # what is rendered is Markdown, Python and Dockerfiles, each with its own filter
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"md": markdown.inline, "code": markdown.code, "py": quoting.python}
    return environment
