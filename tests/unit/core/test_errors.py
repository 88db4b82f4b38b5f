from nbmlops.core import errors
from nbmlops.core.errors import ExitCode, NbmlopsError, NotebookError, UsageError


def test_every_error_has_the_exit_code_of_the_contract() -> None:
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, NbmlopsError)]
    assert {c.__name__: int(c.exit_code) for c in classes} == {
        "NbmlopsError": 70,
        "UsageError": 2,
        "ConfigError": 2,
        "NotebookError": 2,
        "StepFailed": 1,
        "GateRejected": 3,
        "EnvironmentFault": 4,
        "StoreAway": 4,
        "ComparisonFailed": 5,
        "Conflict": 6,
        "Interrupted": 130,
        "Terminated": 143,
    }


def test_the_hint_follows_the_message() -> None:
    assert str(UsageError("no such file: x", "name a notebook")) == "no such file: x\nhint: name a notebook"
    assert str(UsageError("no such file: x")) == "no such file: x"


def test_a_notebook_error_carries_its_diagnostics() -> None:
    assert NotebookError("refused", []).diagnostics == ()
    assert NotebookError("refused", []).exit_code is ExitCode.USAGE
