from __future__ import annotations

import importlib.metadata
import sys

from nbmlops.app.compiling.installed import installed_distributions, marker_environment


def test_what_is_installed_is_told_with_its_modules_and_requirements() -> None:
    found = {one.name: one for one in installed_distributions()}
    assert found["scikit-learn"].version == importlib.metadata.version("scikit-learn")
    assert found["scikit-learn"].modules == ("sklearn",)
    assert "yaml" in found["PyYAML"].modules
    assert any(text.startswith("numpy") for text in found["pandas"].requires)
    assert list(found) == sorted(found)


def test_markers_are_evaluated_for_this_python() -> None:
    assert marker_environment()["python_version"] == f"{sys.version_info.major}.{sys.version_info.minor}"
