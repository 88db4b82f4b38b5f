from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

from nbmlops.runtime.reuse.libraries import distributions_of, installed_versions


def test_versions_are_those_of_the_metadata() -> None:
    found = installed_versions(sys.path)
    names = ["pandas", "scikit-learn", "python-dateutil", "numpy"]
    assert {name: found[name] for name in names} == {name: version(name) for name in names}


def test_the_first_place_on_the_path_wins(tmp_path: Path) -> None:
    for folder, release in (("a", "1.0"), ("b", "2.0")):
        (tmp_path / folder / f"Some_Thing-{release}.dist-info").mkdir(parents=True)
    path = [str(tmp_path / "a"), str(tmp_path / "absent"), str(tmp_path / "b")]
    assert installed_versions(path) == {"some-thing": "1.0"}


def test_modules_are_traced_to_what_brings_them() -> None:
    versions = {"scikit-learn": "1.9", "pandas": "3.1", "python-dateutil": "2.9", "other": "1"}
    found = distributions_of(["sklearn", "pandas", "dateutil", "my_module"], versions)
    assert found == {"pandas": "3.1", "python-dateutil": "2.9", "scikit-learn": "1.9"}
