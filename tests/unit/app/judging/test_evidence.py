"""Evidence for the gate from a tracking store and a registry in memory: what is found, and what cannot be had."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pandas as pd
import polars as pl
import pytest
from msgspec.structs import replace
from sklearn.linear_model import LogisticRegression

from nbmlops.app.judging.evidence import Judged, gather
from nbmlops.app.judging.predictions import Given, log_predictions
from nbmlops.core.errors import UsageError
from nbmlops.core.records import BehaviourOutcome, BehaviourRecord, DataRecord, Expectation
from nbmlops.data.profiles.profile import profile
from nbmlops.gate.baseline import Baseline, Champion, NoChampion, UnreadableChampion
from nbmlops.gate.evidence import Evidence, Found, NotHad, NothingToCompare, Sampled
from nbmlops.gate.policy import Claim, ClaimKind, Method, Policy, Rule, Sample
from nbmlops.pipeline.run_codec import finite
from nbmlops.pipeline.run_record import MetricValue, StepLog
from nbmlops.registry.registry import ModelVersion
from nbmlops.tracking.lineage import GIT_COMMIT, GIT_DIRTY, PIPELINE, PREDICTIONS
from nbmlops.tracking.predictions import predictions_artifact, predictions_file
from nbmlops.tracking.provenance import PROVENANCE_FILE, CodeCell, Provenance, provenance_to_json
from nbmlops.tracking.tracker import RunStart
from tests.fakes.in_memory import InMemoryRegistry, InMemoryTracker

ROWS = 400
GENERATOR = np.random.default_rng(3)
X = pd.DataFrame({"miles": GENERATOR.random(ROWS), "hour": GENERATOR.integers(0, 24, ROWS).astype("float64")})
Y = (X["miles"] + GENERATOR.normal(0, 0.3, ROWS) > 0.6).astype("int64")
PORT = pd.DataFrame({"port": np.where(X["hour"] < 12, "EWR", "JFK")})
MODEL = LogisticRegression().fit(X, Y)
SCORES = MODEL.predict_proba(X)[:, 1]
WORSE = np.clip(SCORES + GENERATOR.normal(0, 0.2, ROWS), 0, 1)
CHAMPION = Champion("delays", "1", {"auc": 0.8})
PAIRED = Rule("live", "auc", baseline="champion", claim=Claim(ClaimKind.NOT_WORSE, 0.01), sample=Sample())


class World:
    """A run to judge, and the run of a champion."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tracker = InMemoryTracker()
        self.registry = InMemoryRegistry()
        self.run = self.tracker.start_run(RunStart("x")).run_id
        self.former = self.tracker.start_run(RunStart("x")).run_id
        self.registry.models["delays"] = [ModelVersion("delays", "1", self.former)]

    def log(self, run_id: str, scores=SCORES, name: str = "held_out", **more) -> None:
        given = Given(**({"prediction": scores, "truth": Y, "features": X, "slices": PORT, "threshold": 0.5} | more))
        record, _ = log_predictions(given, name, self.root)
        self.tracker.contents[run_id, predictions_artifact(name)] = predictions_file(
            self.root, record.digest
        ).read_bytes()
        self.tracker.set_tags(run_id, {f"{PREDICTIONS}{name}": record.digest})

    def gather(self, *rules: Rule, baseline: Baseline = CHAMPION) -> Evidence:
        stores = SimpleNamespace(tracker=self.tracker, registry=self.registry)
        return gather(stores, Judged(self.run, "delays", self.root), baseline, Policy(rules))

    def sample(self, rule: Rule, baseline: Baseline = CHAMPION):
        return self.gather(rule, baseline=baseline).samples[rule.name]

    def fact(self, fact: str, of: str = "", baseline: Baseline = CHAMPION):
        rule = Rule("f", fact=fact, of=of, max=1.0)
        return self.gather(rule, baseline=baseline).facts[fact, of]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_both_models_are_compared_on_the_same_rows_in_whatever_order(world: World) -> None:
    world.log(world.run)
    turned = slice(None, None, -1)
    world.log(world.former, WORSE[turned], truth=Y[turned], features=X[turned], slices=PORT[turned])
    (found,) = world.sample(PAIRED).estimates
    straight = World(world.root)
    straight.log(straight.run)
    straight.log(straight.former, WORSE)
    assert straight.sample(PAIRED).estimates == (found,)
    assert found.gain > 0 > found.low - found.gain


def test_a_champion_that_saw_other_rows_is_asked_about_these(world: World) -> None:
    world.log(world.run, WORSE)
    world.registry.stored["delays", "1"] = MODEL
    (found,) = world.sample(PAIRED).estimates
    world.log(world.former, SCORES)
    assert world.sample(PAIRED).estimates == (found,)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (None, "the stored model is gone: there is no model.skops in its folder"),
        (LogisticRegression().fit(X.assign(tail=1.0), Y), "it was trained on another signature, with 'tail'"),
        (SimpleNamespace(predict=None), "it cannot predict: 'NoneType' object is not callable"),
    ],
)
def test_a_champion_that_cannot_be_asked_is_told(world: World, model: object, reason: str) -> None:
    world.log(world.run)
    if model is not None:
        world.registry.stored["delays", "1"] = model
    found = world.sample(PAIRED)
    assert found == NotHad(
        "delays version 1: no predictions 'held_out' were logged (%mlops predictions); "
        f"and it cannot be asked about these rows: {reason}"
    )


def test_without_features_a_champion_needs_predictions_on_the_same_rows(world: World) -> None:
    world.log(world.run, features=None, rows=X)
    world.log(world.former, SCORES[:300], truth=Y[:300], features=X[:300], slices=PORT[:300])
    assert world.sample(PAIRED) == NotHad(
        "delays version 1: they are not about the same rows: 400 rows here, 300 there, 300 different ones in common; "
        "without --features on the predictions line it cannot be asked about these rows either"
    )


@pytest.mark.parametrize(
    ("baseline", "found"),
    [
        (NoChampion(), NothingToCompare()),
        (UnreadableChampion("no metrics"), NotHad("the champion cannot be read: no metrics")),
    ],
)
def test_a_champion_that_is_not_there(world: World, baseline: Baseline, found: object) -> None:
    world.log(world.run)
    assert world.sample(PAIRED, baseline) == found


def test_other_versions_are_named(world: World) -> None:
    world.log(world.run)
    world.log(world.former, WORSE)
    assert isinstance(world.sample(replace(PAIRED, baseline="version 1"), NoChampion()), Sampled)
    missing = world.sample(replace(PAIRED, baseline="@challenger"), NoChampion())
    assert isinstance(missing, NotHad)
    assert missing.reason.startswith("@challenger cannot be had: delays has no version or alias 'challenger'")
    plain = Rule("p", "auc", baseline="version 1", max_drop=0.1)
    world.tracker.log_step(world.former, StepLog(metrics=(MetricValue("auc", 0.75),)))
    assert world.gather(plain).baselines == {"version 1": Champion("delays", "1", {"auc": 0.75})}


def test_predictions_that_are_missing_or_altered_are_told(world: World) -> None:
    rule = Rule("floor", "auc", min=0.5, sample=Sample())
    assert world.sample(rule) == NotHad("no predictions 'held_out' were logged (%mlops predictions)")
    world.log(world.run)
    world.tracker.contents[world.run, predictions_artifact("held_out")] += b" "
    assert world.sample(rule) == NotHad(
        "the predictions 'held_out' are not those that were logged: their file was changed"
    )
    del world.tracker.contents[world.run, predictions_artifact("held_out")]
    assert world.sample(rule) == NotHad("the predictions 'held_out' cannot be read")


def test_slices_and_conditions(world: World) -> None:
    world.log(world.run)
    ports = world.sample(Rule("s", "auc", min=0.5, sample=Sample(slice_by="port")))
    assert [(one.slice, one.rows) for one in ports.estimates] == [
        ("port = EWR", int((X["hour"] < 12).sum())),
        ("port = JFK", int((X["hour"] >= 12).sum())),
    ]
    far = world.sample(Rule("s", "auc", min=0.5, sample=Sample(where="miles > 0.5 and port == 'EWR'")))
    assert far.estimates[0].rows == int(((X["miles"] > 0.5) & (X["hour"] < 12)).sum())
    wrong = world.sample(Rule("s", "auc", min=0.5, sample=Sample(slice_by="prot")))
    assert wrong == NotHad("the predictions have no column 'prot'; recorded: miles, hour, port")
    few = world.sample(Rule("s", "auc", min=0.5, sample=Sample(slice_by="hour", min_rows=100)))
    assert {one.value for one in few.estimates} == {None}


def test_nan_predictions_are_told(world: World) -> None:
    world.log(world.run, np.where(np.arange(ROWS) == 7, np.nan, SCORES))
    (found,) = world.sample(Rule("s", "auc", min=0.5, sample=Sample())).estimates
    assert found.problem == "there are predictions that are NaN or infinite"


def test_the_dataset_says_the_median_where_absolute_errors_count_whatever_the_metric_is_called(world: World) -> None:
    lopsided = (X["miles"] ** 6).to_numpy()
    world.log(world.run, X["miles"].to_numpy(), truth=lopsided, threshold=None)
    for metric in ("mae", "mae_test", "mean_absolute_error"):
        (found,) = world.sample(Rule("s", metric, baseline="dataset", sample=Sample())).estimates
        assert found.baseline == pytest.approx(np.abs(lopsided - np.median(lopsided)).mean())


def test_the_dataset_itself_is_a_baseline(world: World) -> None:
    world.log(world.run)
    (found,) = world.sample(Rule("s", "brier", baseline="dataset", min_gain=0.01, sample=Sample())).estimates
    assert found.baseline == pytest.approx(float(Y.mean() * (1 - Y.mean())))


def test_mcnemars_test_counts_discordant_rows(world: World) -> None:
    world.log(world.run)
    world.log(world.former, WORSE)
    claim = Claim(ClaimKind.BETTER, method=Method.MCNEMAR)
    (found,) = world.sample(Rule("s", "accuracy", baseline="champion", claim=claim, sample=Sample())).estimates
    right, other = ((SCORES >= 0.5) == Y), ((WORSE >= 0.5) == Y)
    assert found.discordant == (int((right & ~other).sum()), int((~right & other).sum()))
    assert found.low is None
    assert 0 < found.p_value < 1


@pytest.mark.parametrize("metric", ["demographic_parity_difference", "equalized_odds_difference"])
def test_fairness_is_that_of_fairlearn(world: World, metric: str) -> None:
    from fairlearn import metrics

    world.log(world.run)
    found = world.sample(Rule("fair", metric, max=0.1, sample=Sample(slice_by="port")))
    labels = (SCORES >= 0.5).astype(int)
    expected = getattr(metrics, metric)(Y, labels, sensitive_features=PORT["port"])
    assert found.estimates[0].value == pytest.approx(expected)
    assert [one.value for one in found.groups] == pytest.approx(
        [labels[PORT["port"] == port].mean() for port in ("EWR", "JFK")]
    )


def test_fairness_without_fairlearn_says_how_to_get_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.log(world.run)
    monkeypatch.setitem(sys.modules, "fairlearn", None)
    rule = Rule("fair", "demographic_parity_difference", max=0.1, sample=Sample(slice_by="port"))
    assert world.sample(rule) == NotHad("fairness needs fairlearn: pip install 'nbmlops[fairness]'")


def test_what_was_measured_with_the_predictions_are_facts(world: World) -> None:
    assert world.fact("leaked_rows") == NotHad("no predictions 'held_out' were logged (%mlops predictions)")
    world.log(world.run)
    assert world.fact("leaked_rows") == NotHad("the predictions were logged without --training")
    world.log(world.run, training=pd.concat([X[:3], X + 10]), model=MODEL)
    assert world.fact("leaked_rows") == 3.0
    assert world.fact("model_bytes") > 1000
    assert world.fact("latency_ms") > 0


def test_training_rows_are_found_by_the_columns_that_held_out_rows_are_known_by(world: World) -> None:
    training = pd.concat([X[:3], X + 10]).assign(late=1)
    for given in (training, training[["late", "hour", "miles"]], pl.from_pandas(training)):
        world.log(world.run, training=given)
        assert world.fact("leaked_rows") == 3.0
        world.run = world.tracker.start_run(RunStart("x")).run_id
    with pytest.raises(UsageError, match="the training rows lack columns that held-out rows are known by: hour"):
        world.log(world.run, training=training[["miles"]])
    world.log(world.run, features=X.to_numpy(), slices=None, training=X[:4].to_numpy())
    assert world.fact("leaked_rows") == 4.0
    with pytest.raises(UsageError, match="the training rows have 3 columns, but held-out rows are known by 2"):
        world.log(world.run, features=X.to_numpy(), slices=None, training=training.to_numpy())


def test_a_slice_column_that_features_have_too_must_hold_the_same(world: World) -> None:
    missing = X.assign(miles=X["miles"].where(X["miles"] > 0.1))
    world.log(world.run, features=missing, rows=X, slices=missing.assign(port="EWR"))
    world.log(world.run, features=PORT, rows=X, slices=PORT.astype("category"))
    with pytest.raises(UsageError, match="the column 'miles' is in the features and in the slices, with other values"):
        world.log(world.run, slices=X.assign(miles=1.0))


def test_the_signature_is_compared_with_the_champions(world: World) -> None:
    world.log(world.run)
    world.log(world.former, features=X.astype({"hour": "int64"}).drop(columns="miles"), rows=X)
    assert (world.fact("signature_changes"), world.fact("signature_breaks")) == (2.0, 1.0)
    assert world.fact("signature_changes", baseline=NoChampion()) == NothingToCompare()


def test_reproducibility_is_read_from_the_run(world: World) -> None:
    assert world.fact("dirty_tree") == 1.0
    world.tracker.set_tags(world.run, {GIT_COMMIT: "abc", GIT_DIRTY: "false"})
    assert world.fact("dirty_tree") == 0.0
    world.tracker.set_tags(world.run, {GIT_DIRTY: "true"})
    assert world.fact("dirty_tree") == 1.0
    assert world.fact("unhashed_data") == 1.0


def test_libraries_that_are_not_those_of_the_lock_are_named(world: World) -> None:
    def recorded(**packages: str) -> None:
        document = provenance_to_json(Provenance(packages=packages))
        world.tracker.log_document(world.run, PROVENANCE_FILE, document)

    missing = NotHad("there is no requirements.lock, neither the pipeline's nor the project's")
    assert world.fact("unpinned_environment") == missing
    lock = world.root / "requirements.lock"
    lock.write_text("numpy==2.1.0\n")
    assert world.fact("unpinned_environment") == NotHad("the run recorded no versions of libraries")
    recorded(numpy="2.1.0")
    assert world.fact("unpinned_environment") == Found(0.0)
    recorded(numpy="2.0.0")
    said = "numpy is 2.0.0, locked 2.1.0"
    assert world.fact("unpinned_environment") == Found(1.0, said, {"libraries": [said]})
    world.tracker.set_tags(world.run, {PIPELINE: "delays"})
    folder = world.root / "pipelines" / "delays"
    folder.mkdir(parents=True)
    (folder / "requirements.lock").write_text("numpy==2.0.0\n")
    assert world.fact("unpinned_environment") == Found(0.0)
    (folder / "requirements.lock").write_text("")
    assert world.fact("unpinned_environment") == NotHad("pipelines/delays/requirements.lock pins nothing")


def test_imported_libraries_that_the_lock_does_not_name_are_named(world: World) -> None:
    sources = ("import sklearn.svm, json", "import numpy as np", "import tensorboard", "import nbmlops")
    cells = [nbformat.v4.new_code_cell(source, id=f"c{place}") for place, source in enumerate(sources)]
    cells[2].metadata.tags = ["skip"]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), world.root / "delays.ipynb")
    packages = {"numpy": "2.1.0", "scikit-learn": "1.5.0", "tensorboard": "2.0", "nbmlops": "1.0"}
    code = tuple(CodeCell(f"c{place}", place + 1, "", source) for place, source in enumerate(sources))
    document = provenance_to_json(Provenance("delays.ipynb", code, packages))
    world.tracker.log_document(world.run, PROVENANCE_FILE, document)
    (world.root / "requirements.lock").write_text("numpy==2.1.0\n")
    said = "sklearn is imported (scikit-learn 1.5.0), and not locked"
    assert world.fact("unpinned_environment") == Found(1.0, said, {"libraries": [said]})
    (world.root / "requirements.lock").write_text("numpy==2.1.0\nscikit-learn==1.5.0\n")
    assert world.fact("unpinned_environment") == Found(0.0)


def test_checks_and_tests_are_counted(world: World) -> None:
    assert world.fact("failed_checks") == NotHad("no data was checked against a schema")
    assert world.fact("failed_tests") == NotHad("no behaviour test was run")
    world.tracker.set_tags(world.run, {"nbmlops.check.a": "pass", "nbmlops.check.b": "fail"})
    assert (world.fact("failed_checks"), world.fact("failed_checks", "a")) == (1.0, 0.0)
    assert world.fact("failed_checks", "c") == NotHad("no data was checked against schema 'c'")


def test_behaviour_tests_that_did_not_pass_are_named(world: World) -> None:
    stated = Expectation("invariance", "does not change", 10, 1, 0.0, ("row 3: 1 -> 2",))
    good = BehaviourRecord("test_a", BehaviourOutcome.PASS)
    bad = BehaviourRecord("test_b", BehaviourOutcome.FAIL, str(stated), (stated,))
    missing = BehaviourRecord("test_c", BehaviourOutcome.NOT_RUN, "its cell was not run")
    world.tracker.log_step(world.run, StepLog(tests=(bad, missing, good)))
    assert world.fact("failed_tests", "test_a") == Found(0.0, "", {"tests": [finite(good)]})
    assert world.fact("failed_tests") == Found(
        2.0,
        f"test_b (fail): {stated}; test_c (not run): its cell was not run",
        {"tests": [finite(good), finite(bad), finite(missing)]},
    )
    assert world.fact("failed_tests", "test_d") == NotHad("the behaviour test 'test_d' was not run")
    world.tracker.set_tags(world.run, {"nbmlops.test.test_a": "altered"})
    assert world.fact("failed_tests", "test_a").said == "test_a (error): its outcome cannot be read"


def test_many_failed_tests_are_counted(world: World) -> None:
    failed = [BehaviourRecord(f"test_{n}", BehaviourOutcome.FAIL, "no") for n in range(7)]
    world.tracker.log_step(world.run, StepLog(tests=tuple(failed)))
    found = world.fact("failed_tests")
    assert (found.value, found.said.count("(fail)"), found.said[-12:]) == (7.0, 5, "; and 2 more")


def declared(world: World, run_id: str, frame: pd.DataFrame, name: str = "flights", context: str = "") -> None:
    record = DataRecord(name, "d", "frame", len(frame), context=context, profile=profile(frame))
    world.tracker.log_step(run_id, StepLog(data=(record,)))


LATER = X.assign(hour=X["hour"] + 100)
HOUR = Found(1.0, "column 'hour' of the training data")


def test_drift_is_that_of_the_rows_that_were_trained_on(world: World) -> None:
    world.log(world.run, training=X)
    declared(world, world.run, LATER)  # of other data nobody asks
    world.log(world.former, training=LATER)
    assert world.fact("drift") == HOUR
    world.log(world.former, training=X)
    assert world.fact("drift") == Found(0.0, "column 'miles' of the training data")
    assert world.fact("drift", baseline=NoChampion()) == NothingToCompare()
    world.log(world.former, training=X[["miles"]], rows=X[["miles"]])
    assert world.fact("drift") == NotHad("the training data have other columns than the champion's: hour")


def test_drift_of_data_that_were_logged_for_training(world: World) -> None:
    unknown = "the training data are not known: log them with %mlops predictions ... --training X_train"
    assert world.fact("drift") == NotHad(unknown)
    declared(world, world.run, X)
    assert world.fact("drift") == NotHad(unknown)
    declared(world, world.run, LATER, "X_train", "training")
    assert world.fact("drift") == NotHad(f"of the champion {unknown}")
    declared(world, world.former, X, "X_train", "training")
    assert world.fact("drift") == HOUR
    declared(world, world.run, X, "y_train", "training")
    several = "several data were logged for training, of which none is named by `of`: X_train, y_train"
    assert world.fact("drift") == NotHad(several)


def test_drift_from_what_the_champion_was_registered_with(world: World) -> None:
    world.log(world.run, training=LATER)
    declared(world, world.former, X.assign(tail=1.0), "raw", "training")
    world.registry.profiles["delays", "1"] = profile(X)
    assert world.fact("drift") == HOUR
    world.registry.profiles["delays", "1"] = {**profile(X), "columns_left_out": 3}
    assert world.fact("drift") == NotHad("the profile of the training data leaves out 3 columns")


def test_training_rows_that_are_an_array_have_columns_by_their_places(world: World) -> None:
    rows = X.to_numpy()
    world.log(world.run, features=rows, training=rows + np.array([0, 100]))
    world.log(world.former, features=rows, training=rows)
    assert world.fact("drift") == Found(1.0, "column 'x1' of the training data")
    world.log(world.run, features=None, rows=X["hour"], training=X["hour"])
    assert isinstance(world.fact("drift"), NotHad)


def test_drift_is_the_greatest_distance_of_a_column(world: World) -> None:
    assert world.fact("drift", "flights") == NotHad("no data 'flights' was logged")
    declared(world, world.run, X)
    assert world.fact("drift", "flights") == NotHad("the champion's run logged no data 'flights'")
    declared(world, world.former, X)
    assert world.fact("drift", "flights").value == 0.0
    read = DataRecord("data/train.csv", "d", "file", profile={"evidence": "step"})
    world.tracker.log_step(world.run, StepLog(data=(read,)))
    missing = "the champion's run logged no data 'data/train.csv'"
    assert world.fact("drift", "data/train.csv") == NotHad(missing)
    declared(world, world.former, LATER)
    assert world.fact("drift", "flights") == Found(1.0, "column 'hour' of the data 'flights'")
    declared(world, world.former, X.drop(columns="hour"))
    assert world.fact("drift", "flights") == NotHad("the data 'flights' have other columns than the champion's: hour")


def test_drift_is_not_known_where_a_column_has_turned_into_another_kind(world: World) -> None:
    turned = NotHad("the column 'miles' of the data 'flights' is of another kind than the champion's, or empty")
    names = pd.Series([f"no {number}" for number in range(ROWS)])
    declared(world, world.former, X)
    for values in (names, np.nan):
        declared(world, world.run, X.assign(miles=values))
        assert world.fact("drift", "flights") == turned
    declared(world, world.run, X.assign(name=names))
    declared(world, world.former, X.assign(name=names[::-1].to_numpy()))
    assert world.fact("drift", "flights").value == 0.0
    declared(world, world.run, names.to_frame("name"))
    declared(world, world.former, names.to_frame("name"))
    nothing = "the profiles of the data 'flights' tell nothing of their spread"
    assert world.fact("drift", "flights") == NotHad(nothing)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"truth": Y[:10]}, "there are 400 predictions, but truth has 10 rows"),
        ({"features": None}, "have no identity"),
        ({"prediction": MODEL.predict_proba(X)}, "2 dimensions, but one value for each row"),
        ({"truth": Y.where(Y.index > 3)}, "the truth is missing for 4 rows"),
        ({"threshold": "high"}, "the threshold is a number"),
        ({"features": 3}, "features is of type int"),
        ({"prediction": [object()] * ROWS}, "neither numbers nor texts"),
        ({"features": X.assign(tail=1.0), "model": MODEL}, "the model cannot predict from the features"),
    ],
)
def test_predictions_that_cannot_be_logged_are_refused(tmp_path: Path, change: dict, message: str) -> None:
    given = Given(**({"prediction": SCORES, "truth": Y, "features": X} | change))
    with pytest.raises(UsageError, match=message):
        log_predictions(given, "held_out", tmp_path)


def test_predictions_that_are_logged_again_are_young_again(tmp_path: Path) -> None:
    given = Given(prediction=SCORES, truth=Y, features=X)
    record, _ = log_predictions(given, "held_out", tmp_path)
    file = predictions_file(tmp_path, record.digest)
    os.utime(file, (1, 1))
    log_predictions(given, "held_out", tmp_path)
    assert file.stat().st_mtime > 1
