from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nbmlops.app.config.config import RULE_TO_PASTE, PipelineConfig, load_config, parse_config
from nbmlops.core.errors import ConfigError
from nbmlops.core.secret_settings import SecretSettings
from nbmlops.gate.policy import Direction, Policy, Rule

VALID = """
[tracking]
uri = "http://mlflow:5000"

[registry]
promote_on_pass = true

[[gate.rules]]
name = "auc floor"
metric = "auc"
min = 0.7
reason = "the desk ignores it below"

[[gate.rules]]
metric = "auc"
baseline = "champion"
max_drop = 0

[pipelines.wine]
metrics = { accuracy = "acc" }
model = "clf"
data = "X_train"
model_name = "kale_wine"
registry = { promote_on_pass = false }
tracking = { experiment = "wines" }

[[pipelines.wine.gate.rules]]
name = "auc floor"
metric = "accuracy"
min = 1

[redaction]
allow = ["license_key"]
variables = ["WAREHOUSE"]

[serving]
anything = 1
"""
SECRETS = SecretSettings(frozenset({"license_key"}), frozenset({"WAREHOUSE"}))


def test_a_valid_file_is_lowered_for_each_pipeline(tmp_path: Path) -> None:
    (tmp_path / "nbmlops.toml").write_text(VALID)
    config = load_config(tmp_path)
    against = Rule("auc against champion", "auc", baseline="champion", max_drop=0.0)
    assert config.for_pipeline("flights") == PipelineConfig(
        name="flights",
        tracking_uri="http://mlflow:5000",
        experiment="flights",
        promote_on_pass=True,
        policy=Policy((Rule("auc floor", "auc", min=0.7, reason="the desk ignores it below"), against)),
        file="nbmlops.toml",
        secrets=SECRETS,
    )
    assert config.for_pipeline("wine") == PipelineConfig(
        name="wine",
        tracking_uri="http://mlflow:5000",
        experiment="wines",
        promote_on_pass=False,
        policy=Policy((Rule("auc floor", "accuracy", min=1.0), against)),
        metrics={"accuracy": "acc"},
        model="clf",
        data="X_train",
        model_name="kale_wine",
        file="nbmlops.toml",
        secrets=SECRETS,
    )


def test_no_file_means_defaults(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.other]\nx = 'nbmlops'\n")
    config = load_config(tmp_path)
    assert config.for_pipeline("churn") == PipelineConfig("churn", "", "churn", promote_on_pass=False, policy=Policy())


def test_settings_may_stand_in_pyproject_with_a_byte_order_mark_and_crlf(tmp_path: Path) -> None:
    text = "\ufeff[tool.nbmlops.registry]\r\npromote_on_pass = true\r\n"
    (tmp_path / "pyproject.toml").write_bytes(text.encode())
    config = load_config(tmp_path)
    assert (config.file, config.for_pipeline("x").promote_on_pass) == ("pyproject.toml", True)


def test_the_rule_that_we_offer_to_paste_is_valid() -> None:
    assert parse_config(RULE_TO_PASTE, "nbmlops.toml").gate.rules[0].min == 0.7


FAULTY = """\
[traking]
uri = "x"

[[gate.rules]]
metrc = "auc"
min = "0.7"

[[gate.rules]]
metric = "auc"
min = 2020-01-01
direction = "up"

[pipelines.wine]
metrics = { accuracy = 3 }
gate = { rules = 1 }
registry.promote = true
"""

UNSOUND = """\
[tool.nbmlops.pipelines.wine]
model = "clf"
[[tool.nbmlops.gate.rules]]
metric = "auc"
[[tool.nbmlops.gate.rules]]
metric = "auc"
min = nan
max_drop = -1
[[tool.nbmlops.gate.rules]]
name = "auc"
metric = "desk_score"
baseline = "champ"
"""


@pytest.mark.parametrize(
    ("name", "text", "prefix"),
    [
        ("wrong_keys_and_types", FAULTY, ()),
        ("unsound_rules", UNSOUND, ("tool", "nbmlops")),
        ("not_closed", "[gate]\nrules = [\n", ()),
        ("bad_string", '[tracking]\nuri = "x\n', ()),
        ("duplicate_key", '[tracking]\nuri = "x"\nuri = "y"\n', ()),
    ],
)
def test_every_fault_is_named_with_file_line_and_key(
    golden: Callable[[str, str], None], name: str, text: str, prefix: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "nbmlops.toml", prefix)
    golden(f"config/{name}.txt", f"{caught.value}\n")


def test_a_long_list_of_faults_is_cut() -> None:
    text = "".join(f"key{number} = 1\n" for number in range(30))
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "nbmlops.toml")
    lines = caught.value.message.split("\n")
    assert (lines[0], lines[-1], len(lines)) == ("nbmlops.toml has 30 faults:", "… and 10 more", 42)


def test_two_sets_of_settings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "nbmlops.toml").touch()
    (tmp_path / "pyproject.toml").write_text("[tool.nbmlops]\n")
    with pytest.raises(ConfigError, match="two sets of settings"):
        load_config(tmp_path)


def test_a_file_in_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "nbmlops.toml").write_bytes(b'[tracking]\nexperiment = "caf\xe9"\n')
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)
    assert str(caught.value) == "nbmlops.toml line 2: not UTF-8 text\nhint: save the file as UTF-8"


def test_directions_are_kept() -> None:
    document = '[[gate.rules]]\nmetric = "x"\nbaseline = "champion"\ndirection = "lower"\n'
    assert parse_config(document, "f").gate.rules[0].direction == "lower"
    assert Direction("lower") is Direction.LOWER


def test_how_steps_run_is_said_for_all_pipelines_and_for_one(tmp_path: Path) -> None:
    def write(text: str) -> Path:
        (tmp_path / "nbmlops.toml").write_text(text)
        return tmp_path

    root = write('[run]\njobs = 4\nmemory = "8GiB"\nwarm = false\n[pipelines.wine.run]\njobs = 1\nwarm = true\n')
    configs = [load_config(root).for_pipeline(name) for name in ("tea", "wine")]
    assert [(config.jobs, config.memory, config.warm) for config in configs] == [(4, "8GiB", False), (1, "8GiB", True)]
    defaults = load_config(write("")).for_pipeline("tea")
    assert (defaults.jobs, defaults.memory, defaults.warm) == (0, "", True)
    with pytest.raises(ConfigError) as raised:
        load_config(write('[run]\njobs = 0\nmemory = "much"\n'))
    assert "run.jobs: must be 1 or more, but is 0" in raised.value.message
    assert """run.memory: must be like "8GiB" or "500MB", but is 'much'""" in raised.value.message
