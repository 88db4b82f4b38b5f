"""`nbmlops data add`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from nbmlops.app.data.add import Added, add_data
from nbmlops.cli.blocks import Block, Line, Tone
from nbmlops.cli.commands.gc import sized
from nbmlops.cli.options import emit, format_option
from nbmlops.core.diagnostics import Json

SCHEMA = "nbmlops/data-add/1"
HELP = """\
Keep this version of a file or folder: its bytes go to DVC's cache, and a pointer of a few lines, PATH.dvc, is written
beside it, to be committed in its place. All files are those that `dvc add` (DVC 3) writes, so `dvc push`, `pull`,
`checkout` and `status` work on them; dvc itself need not be installed. What did not change is not written again.

\b
Examples:
  nbmlops data add data/flights.parquet
  nbmlops data add data/images --format json
  nbmlops data add --init data/flights.parquet     the first time, where there is no .dvc/ folder
"""


@click.command(name="add", help=HELP, short_help=HELP.partition(":")[0])
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--init", is_flag=True, help="Make the project a DVC repository, if it is none.")
@format_option
def command(paths: tuple[Path, ...], init: bool, output: str) -> int:
    """Adds each path; returns the exit code."""
    config = Path(click.get_app_dir("dvc")) / "config"
    added = [add_data(path, Path.cwd(), init=init, user_config=config) for path in paths]
    emit(output, lambda: _document(added), lambda: _blocks(added))
    return 0


def _document(added: Sequence[Added]) -> dict[str, Json]:
    return {
        "schema": SCHEMA,
        "added": [
            {
                "path": one.path,
                "md5": one.pointer.md5,
                "bytes": one.pointer.size,
                "files": max(one.pointer.files, 1) if one.pointer.files else 0,
                "pointer": one.pointer_file,
                "before": one.before,
                "written": list(one.written),
            }
            for one in added
        ],
        "diagnostics": [],
    }


def _blocks(added: Sequence[Added]) -> Iterator[Block]:
    for one in added:
        size = sized(one.pointer.size) + (f" in {one.pointer.files} files" if one.pointer.files >= 0 else "")
        if one.before == one.pointer.md5:
            yield Line(f"unchanged  {one.path}  {size}  md5 {one.pointer.md5}")
        else:
            word = "changed  " if one.before else "added    "
            yield Line(f"{word}  {one.path}  {size}  md5 {one.pointer.md5}", Tone.GOOD)
    written = list(dict.fromkeys(name for one in added for name in one.written))
    if written:
        yield Line(f"commit: git add {' '.join(map(shlex.quote, written))}")
