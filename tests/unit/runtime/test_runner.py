from __future__ import annotations

import subprocess
import sys


def test_a_run_that_executes_nothing_imports_nothing_heavy() -> None:
    heavy = ["mlflow", "papermill", "nbclient", "nbformat", "pandas", "numpy", "pyarrow", "IPython", "sklearn"]
    program = f"import sys\nimport nbmlops.runtime.runner\nprint([name for name in {heavy!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_a_step_notebook_imports_nothing_heavy_by_itself() -> None:
    heavy = ["mlflow", "papermill", "pandas", "numpy", "pyarrow", "sklearn", "pandera"]
    program = f"import sys\nimport nbmlops.runtime.step\nprint([name for name in {heavy!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
