"""What the tests of faults share: the tiny pipelines that the tests of the runner write by hand."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

_RUNNER = Path(__file__).parents[1] / "integration" / "test_runtime.py"


@pytest.fixture(scope="session")
def tiny() -> ModuleType:
    """The helpers of `test_runtime`: `Sketch`, `write_pipeline`, `run`, `until`."""
    import sys

    spec = spec_from_file_location("tiny_pipelines", _RUNNER)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module
