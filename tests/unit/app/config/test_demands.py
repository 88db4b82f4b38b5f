from pathlib import Path

import pytest

from nbmlops.app.config.config import load_config, parse_config
from nbmlops.app.config.demands import check_step_names
from nbmlops.core.errors import ConfigError
from nbmlops.pipeline.demands import Demands, Resources, StepDemands
from nbmlops.pipeline.ir import Pipeline, Step, StepMode

VALID = """
[steps.download]
retries = 2
backoff = 5
timeout = 600

[pipelines.wine]
schedule = "0 6 * * 1"
secrets = ["DB_PASSWORD"]

[pipelines.wine.steps.download]
retries = 0
memory = "4GiB"

[pipelines.wine.steps.train]
cpu = 2
gpu = 1
"""


def test_settings_of_a_pipeline_go_over_those_of_the_project_key_by_key(tmp_path: Path) -> None:
    (tmp_path / "nbmlops.toml").write_text(VALID)
    config = load_config(tmp_path)
    assert config.for_pipeline("tea").demands == Demands({"download": StepDemands(2, 5.0, 600.0)})
    assert config.for_pipeline("wine").demands == Demands(
        {
            "download": StepDemands(0, 5.0, 600.0, Resources(memory="4GiB")),
            "train": StepDemands(resources=Resources(cpu=2.0, gpu=1)),
        },
        "0 6 * * 1",
        ("DB_PASSWORD",),
        frozenset({"download", "train"}),
    )


def test_every_wrong_value_is_named_with_line_and_key() -> None:
    text = """\
[steps.download]
retries = -1
timeout = 0

[pipelines.wine]
schedule = "daily"
secrets = ["hunter2!"]

[pipelines.wine.steps.train]
memory = "much"
"""
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "nbmlops.toml")
    assert caught.value.message == (
        "nbmlops.toml has 5 faults:\n"
        "nbmlops.toml line 2: steps.download.retries: must be from 0 to 100, but is -1\n"
        "nbmlops.toml line 3: steps.download.timeout: must be a number of seconds above 0, but is 0\n"
        'nbmlops.toml line 6: pipelines.wine.schedule: must be five fields of cron, such as "0 6 * * 1",'
        " but is 'daily'\n"
        "nbmlops.toml line 7: pipelines.wine.secrets: must be names of variables (letters, digits, _);"
        " one of them is none: it is not shown\n"
        'nbmlops.toml line 10: pipelines.wine.steps.train.memory: must be like "4GiB" or "500MB", but is \'much\''
    )


def test_an_unknown_key_of_a_step_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"line 2: steps\.a\.retry: unknown key\n  did you mean 'retries'\?"):
        parse_config("[steps.a]\nretry = 1\n", "nbmlops.toml")


def test_a_table_for_a_step_that_the_notebook_has_not_is_refused() -> None:
    step = Step("train", "train", StepMode.FUNCTION, "", (1,), ("c",), (), (), (), (), (), (), "notebooks/01.ipynb", "")
    pipeline = Pipeline("wine", "", "wine.ipynb", ".", "", {}, "", (), (step,))
    check_step_names(Demands({"other": StepDemands()}), pipeline, "nbmlops.toml")  # of another notebook, perhaps
    with pytest.raises(ConfigError) as caught:
        check_step_names(Demands(own=frozenset({"trian"})), pipeline, "nbmlops.toml")
    assert caught.value.message == "nbmlops.toml: pipelines.wine.steps.trian: 'trian' is no step of this notebook"
    assert caught.value.hint == "did you mean 'train'?"
