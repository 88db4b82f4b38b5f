from __future__ import annotations

from nbmlops.analysis.imports.stars import expand_stars, star_modules

NAMES = {"math": ("e", "pi", "sin", "sqrt"), "numpy": ("array", "sin", "sqrt", "sum"), ".near": ("x",)}


def expanded(build, *cells):
    return [cell.python for cell in expand_stars(build(*cells), NAMES).cells]


def test_a_star_import_becomes_the_names_that_are_read(build):
    assert expanded(
        build, ("imports", "from math import *"), ("step:a", "y = sqrt(2)"), ("step:b", "print(y * pi)")
    ) == [
        "from math import pi, sqrt",
        "y = sqrt(2)",
        "print(y * pi)",
    ]


def test_lines_stay_where_they_are(build):
    source = "x = 1\nfrom math \\\n    import *  # all of it\ny = sqrt(x)"
    assert expanded(build, ("step:a", source)) == ["x = 1\nfrom math import sqrt  # all of it\n\ny = sqrt(x)"]


def test_names_that_are_only_bound_are_left_out(build):
    assert expanded(build, ("step:a", "from math import *\ne = 1\nfor pi in []:\n    pass")) == [
        "pass\ne = 1\nfor pi in []:\n    pass"
    ]


def test_the_later_star_import_wins_where_nothing_is_read_in_between(build):
    assert expanded(build, ("step:a", "from math import *\nfrom numpy import *\nx = sin(array(pi))")) == [
        "from math import pi\nfrom numpy import array, sin\nx = sin(array(pi))"
    ]


def test_both_star_imports_bind_what_is_read_in_between(build):
    assert expanded(build, ("step:a", "from math import *\nx = sin(1)\nfrom numpy import *\ny = sin(x)")) == [
        "from math import sin\nx = sin(1)\nfrom numpy import sin\ny = sin(x)"
    ]


def test_star_imports_of_two_steps_are_kept_apart(build):
    assert expanded(build, ("step:a", "from math import *"), ("step:b", "from numpy import *\ny = sin(1)")) == [
        "from math import sin",
        "from numpy import sin\ny = sin(1)",
    ]


def test_names_in_queries_formulas_and_expressions_count(build):
    source = 'from math import *\ndf.query("v > @e")\nols("y ~ sqrt(x)")\npd.eval("pi + 1")'
    assert expanded(build, ("step:a", source))[0].startswith("from math import e, pi, sqrt\n")


def test_a_module_that_is_not_known_stays(build):
    assert expanded(build, ("step:a", "from elsewhere import *\nx = 1")) == ["from elsewhere import *\nx = 1"]


def test_modules_are_found_in_blocks_but_not_in_skipped_cells(build):
    notebook = build(
        ("step:a", "try:\n    from math import *\nexcept ImportError:\n    from .near import *"),
        ("skip", "from numpy import *"),
    )
    assert star_modules(notebook) == (".near", "math")
