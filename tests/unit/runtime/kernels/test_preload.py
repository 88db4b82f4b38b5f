from __future__ import annotations

from nbmlops.runtime.kernels.preload import asks_around, modules_to_preload


def test_modules_of_known_libraries_are_preloaded_by_the_names_that_the_steps_use() -> None:
    sources = [
        "import numpy as np\nfrom sklearn.ensemble import RandomForestClassifier\nfrom . import helpers",
        "import os, torch",
        "def step():\n    import scipy.stats\n    from sklearn import *\n",
        "%broken",
    ]
    assert modules_to_preload(sources) == (
        "numpy",
        "scipy.stats",
        "sklearn",
        "sklearn.ensemble",
        "sklearn.ensemble.RandomForestClassifier",  # found to be no module when it is tried
    )


def test_frames_bring_what_stores_them_and_pyplot_what_it_is_made_of() -> None:
    assert modules_to_preload(["import pandas as pd\nimport matplotlib.pyplot as plt"]) == (
        "matplotlib.backends.backend_agg",
        "matplotlib.figure",
        "matplotlib.projections",
        "matplotlib.style",
        "pandas",
        "pyarrow",
        "pyarrow.ipc",
        "pyarrow.pandas_compat",
    )
    assert modules_to_preload(["import pandas\nfrom sklearn import svm"]) == (
        "narwhals._interchange.dataframe",
        "narwhals._pandas_like.namespace",
        "narwhals.stable.v2._namespace",
        "pandas",
        "pyarrow",
        "pyarrow.ipc",
        "pyarrow.pandas_compat",
        "sklearn",
        "sklearn.svm",
    )


def test_what_asks_around_is_told_by_its_name() -> None:
    asking = ("matplotlib.pyplot", "matplotlib_inline.backend_inline", "sklearn.experimental.enable_iterative_imputer")
    assert [asks_around(name) for name in (*asking, "matplotlib", "matplotlib.pyplots")] == [True] * 3 + [False] * 2
