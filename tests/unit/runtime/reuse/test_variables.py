from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nbmlops.core.digest import digest_bytes
from nbmlops.runtime.reuse.variables import digests

PROGRAM = """
import json, os, sys
from nbmlops.runtime.reuse.variables import watch
watch().start(lambda file: file == __file__)
{body}
print(json.dumps(watch().stop()))
assert os.environ["SITE"] is not None  # read later, and not counted
"""
LIBRARY = "import os\ndef read():\n    return os.environ['HOME'], os.getenv('TERM')\n"


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ("os.environ['SITE']", {"SITE": "north"}),
        ("os.environ.get('SITE', 'x'); os.getenv('ABSENT')", {"SITE": "north", "ABSENT": None}),
        ("assert 'SITE' in os.environ", {"SITE": "north"}),
        ("os.environ['SITE'] = 'south'; os.environ['SITE']", {"SITE": "north"}),
        ("import library; library.read()", {}),
        ("dict(os.environ), os.environ.copy()", {}),
        ("import subprocess; subprocess.run(['true'], env={**os.environ, 'A': '1'})", {}),
        ("os.path.expanduser('~'); os.environb", {}),
    ],
)
def test_variables_that_the_users_code_reads_are_told_by_digest(
    tmp_path: Path, body: str, read: dict[str, str | None]
) -> None:
    (tmp_path / "library.py").write_text(LIBRARY)
    (tmp_path / "program.py").write_text(PROGRAM.format(body=body))
    environment = {**os.environ, "SITE": "north"}
    command = [sys.executable, str(tmp_path / "program.py")]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert json.loads(told) == {n: "" if v is None else digest_bytes(v.encode()) for n, v in sorted(read.items())}
    assert "north" not in told


def test_a_variable_that_is_empty_differs_from_one_that_is_not_set() -> None:
    assert digests(["A", "B"], {"A": ""}) == {"A": digest_bytes(b""), "B": ""}
