import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbmlops.notebook.names import module_names, pipeline_name, skeleton, step_name_fault, suggested_step_name


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("flight_delays", "flight_delays"),
        ("01 Flight-Delays (final)", "nb_01_flight_delays_final"),
        ("Qualität", "qualitat"),
        ("class", "class_pipeline"),
        ("json", "json_pipeline"),
        ("nbmlops", "nbmlops_pipeline"),
        ("pandas", "pandas_pipeline"),
        ("tests", "tests_pipeline"),
        ("CON", "con_pipeline"),
        ("測試", "notebook_371453"),
        ("", "notebook_e3b0c4"),
        ("x" * 300, "x" * 53 + "_0d4e2c"),
    ],
)
def test_a_pipeline_is_named_by_its_file(stem, name):
    assert pipeline_name(stem) == name


def test_a_pipeline_never_hides_a_module_that_the_notebook_imports():
    assert pipeline_name("churn", {"churn", "pandas"}) == "churn_pipeline"


def test_steps_get_safe_module_names_and_safe_ones_keep_theirs():
    names = [
        "train",
        "Train",
        "TRAIN",
        "class",
        "eval",
        "CON",
        "params",
        "train_2",
        "Lernen-Ä",
        "x.y",
        "__init__",
        "a1",
    ]
    assert module_names(names, reserved=["a1"]) == {
        "train": "train", "Train": "train_3", "TRAIN": "train_4", "class": "class_step", "eval": "eval_step",
        "CON": "con_step", "params": "params_step", "train_2": "train_2", "Lernen-Ä": "lernen_a", "x.y": "x_y",
        "__init__": "init", "a1": "a1_step",
    }  # fmt: skip


def test_a_new_step_renames_no_safe_one():
    assert module_names(["Train", "train"])["train"] == module_names(["train"])["train"] == "train"


@pytest.mark.parametrize("name", ["train", "_x", "Ünit", "load-data", "v1.2", "x" * 80])
def test_fit_step_names(name):
    assert step_name_fault(name) == ""


@pytest.mark.parametrize("name", ["../x", "a/b", "two words", "1st", "-x", "x" * 81, "a\nb", "a:b", "$(x)", ""])
def test_unfit_step_names_get_a_fit_suggestion(name):
    assert step_name_fault(name)
    assert step_name_fault(suggested_step_name(name)) == ""


def test_letters_of_other_scripts_look_the_same():
    assert skeleton("tr\N{CYRILLIC SMALL LETTER A}in") == "train"
    assert skeleton("\N{FULLWIDTH LATIN SMALL LETTER T}rain") == "train"


@given(st.lists(st.text(max_size=90), max_size=12))
def test_module_names_are_unique_identifiers(names):
    modules = module_names(names)
    assert list(modules) == list(dict.fromkeys(names))
    found = list(modules.values())
    assert len({name.lower() for name in found}) == len(found)
    assert all(name.isidentifier() and name.isascii() and not keyword.iskeyword(name) for name in found)


@given(st.text(max_size=200))
def test_pipeline_names_are_identifiers(stem):
    name = pipeline_name(stem)
    assert name.isidentifier()
    assert name.isascii()
    assert not keyword.iskeyword(name)
    assert len(name) <= 72
