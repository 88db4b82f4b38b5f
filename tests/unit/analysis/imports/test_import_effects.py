"""Imports that modules repeat for what they do."""

from __future__ import annotations

import pytest

from nbmlops.analysis.analyze import analyze


def repeated(notebook, local=None):
    """Returns the modules that steps, helpers and settings import for their effect."""
    found = analyze(notebook, local_modules=local or {})
    steps = {facts.name: facts.loads for facts in found.steps}
    kinds = {**steps, "helpers": found.helper_loads, "settings": found.setting_loads}
    return {
        name: [f"{i.module}.{i.attribute}".rstrip(".") for i in imports] for name, imports in kinds.items() if imports
    }


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ((("imports", "import numpy"), ("step:a", "x = 1"), ("step:b", "print(x)")), {}),
        ((("step:a", "x = 1"), ("step:b", "import odd"), ("step:c", "print(x)")), {"b": ["odd"], "c": ["odd"]}),
        ((("step:a", "import odd\nx = odd.x"), ("step:b", "print(x)"), ("step:c", "odd.y()")), {"b": ["odd"]}),
        (
            (("imports", "import odd, plain_text\nimport odd as again"), ("step:a", "print(plain_text.x)")),
            {"a": ["odd"]},
        ),
        (
            (("imports", "import xml\nfrom xml.dom import minidom"), ("step:a", "xml.dom.x"), ("step:b", "xml.sax")),
            {"a": ["xml.dom.minidom"]},
        ),
        ((("imports", "import os\nfrom os import path"), ("step:a", "os.path.exists('x')")), {}),
        (
            (
                ("imports", "import seaborn\nimport matplotlib.pyplot as plt"),
                ("step:a", "plt.imshow([[1]], cmap='mako_r')"),
                ("step:b", "plt.plot([1])"),
            ),
            {"a": ["seaborn"]},
        ),
        (
            (
                ("imports", "import looks\nimport matplotlib.pyplot as plt\nplt.style.use('look')"),
                ("imports", "from sklearn.experimental import enable_x\nfrom sklearn.impute import X"),
                ("functions", "def f():\n    return X"),
                ("step:a", "f()"),
            ),
            {
                "a": ["looks", "sklearn.experimental.enable_x"],
                "helpers": ["sklearn.experimental.enable_x"],
                "settings": ["looks", "sklearn.experimental.enable_x"],
            },
        ),
    ],
)
def test_imports_that_are_repeated(build, cells, expected):
    assert repeated(build(*cells)) == expected


def test_modules_beside_the_notebook_are_looked_into(build):
    notebook = build(("imports", "import mine"), ("step:a", "x = 1"), ("step:b", "print(x)"))
    assert repeated(notebook, {"mine": "def f(): ..."}) == {}
    assert repeated(notebook, {"mine": "print()"}) == {"a": ["mine"], "b": ["mine"]}
