"""Names that a run gives to what autologging told."""

from nbmlops.core.records import ArtifactRecord
from nbmlops.pipeline.fits import MOST, FitNames, logged_fits
from nbmlops.pipeline.run_record import FitRecord, MetricValue, StepLog


def fit(c: str, score: float = 0.5, name: str = "model") -> FitRecord:
    return FitRecord(name, {"C": c}, (MetricValue("score", score),), (ArtifactRecord("roc.png", "ab"),))


def test_what_a_training_told_is_called_by_its_name() -> None:
    assert FitNames().logged(fit("1"), {}) == StepLog(
        params={"model/C": "1"},
        metrics=(MetricValue("model/score", 0.5),),
        artifacts=(ArtifactRecord("autolog/model/roc.png", "ab"),),
    )


def test_another_training_of_that_name_has_a_number_and_the_same_again_has_not() -> None:
    logs = [StepLog(fits=(fit("1"), fit("2", 0.6))), StepLog(fits=(fit("1", 0.7), fit("2", name="tree")))]
    told = logged_fits(logs)
    assert told.params == {"model/C": "1", "model-2/C": "2", "tree/C": "2"}
    assert told.metrics == (
        MetricValue("model/score", 0.5),
        MetricValue("model-2/score", 0.6),
        MetricValue("model/score", 0.7),
        MetricValue("tree/score", 0.5),
    )


def test_parameters_that_the_user_logs_are_left_alone() -> None:
    logs = [StepLog(fits=(fit("1"),)), StepLog(params={"model/C": 3})]
    assert logged_fits(logs).params == {}


def test_a_resumed_run_goes_on_counting() -> None:
    names = FitNames({"model/C": "1", "model-2/C": "2", "alpha": "1"})
    assert [dict(names.logged(fit(c), {}).params) for c in "231"] == [
        {"model-2/C": "2"},
        {"model-3/C": "3"},
        {"model/C": "1"},
    ]


def test_a_search_by_hand_is_bounded_and_says_so() -> None:
    told = logged_fits([StepLog(fits=tuple(fit(str(number)) for number in range(MOST + 3)))])
    assert len(told.params) == MOST + 1
    assert told.params["model/left_out"] == "trainings beyond the 50 first ones"


def test_nothing_told_is_nothing_logged() -> None:
    assert logged_fits([StepLog(params={"a": 1})]) == StepLog()


def test_a_training_that_nothing_was_told_of_is_said_and_takes_no_number() -> None:
    beside = FitRecord("model", {})
    said = "MLflow told nothing of a training: it failed, or ran beside another one on another thread"
    assert logged_fits([StepLog(fits=(beside, fit("1"), beside))]).params == {
        "model/not_followed": said,
        "model/C": "1",
    }
    names = FitNames(
        {"model/C": "1", "model/not_followed": said, "model/left_out": "trainings beyond the 50 first ones"}
    )
    assert dict(names.logged(fit("1"), {}).params) == {"model/C": "1"}
