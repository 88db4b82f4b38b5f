from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from skops import io as skops_io

from nbmlops.core.errors import EnvironmentFault, UsageError
from nbmlops.registry import read_model as module
from nbmlops.registry.read_model import MODEL_FILE, read_model
from nbmlops.registry.registry import Candidate

X = np.arange(40.0).reshape(20, 2)
Y = np.arange(20) % 2


def test_a_stored_model_predicts_what_it_predicted(tmp_path: Path) -> None:
    model = RandomForestClassifier(n_estimators=3, random_state=0).fit(X, Y)
    skops_io.dump(model, tmp_path / MODEL_FILE)
    found = read_model(tmp_path)
    assert isinstance(found, RandomForestClassifier)
    assert found.predict_proba(X).tolist() == model.predict_proba(X).tolist()


def test_types_that_are_not_ours_to_trust_are_not_made(tmp_path: Path) -> None:
    skops_io.dump([Candidate("a", "b", None, "c", None, None)], tmp_path / MODEL_FILE)
    with pytest.raises(UsageError, match=r"types that are not trusted: nbmlops\.registry\.registry\.Candidate"):
        read_model(tmp_path)


def test_a_pickle_under_that_name_is_not_read(tmp_path: Path) -> None:
    (tmp_path / MODEL_FILE).write_bytes(pickle.dumps(RandomForestClassifier()))
    with pytest.raises(EnvironmentFault, match="the stored model cannot be read"):
        read_model(tmp_path)
    with zipfile.ZipFile(tmp_path / MODEL_FILE, "w") as archive:
        archive.writestr("model.joblib", pickle.dumps(1))
    with pytest.raises(EnvironmentFault, match="the stored model cannot be read"):
        read_model(tmp_path)
    (tmp_path / MODEL_FILE).unlink()
    with pytest.raises(EnvironmentFault, match="the stored model is gone"):
        read_model(tmp_path)


def test_changed_bytes_are_damage_whatever_reads_them(tmp_path: Path) -> None:
    whole = skops_io.dumps(LogisticRegression().fit(X, Y))
    generator = np.random.default_rng(0)
    damaged = 0
    for bit in (0, 6):  # of the flags of the first file: encrypted, strongly
        marked = bytearray(whole)
        marked[whole.rindex(b"PK\x01\x02") + 8] |= 1 << bit
        (tmp_path / MODEL_FILE).write_bytes(bytes(marked))
        with pytest.raises(EnvironmentFault, match="the stored model cannot be read"):
            read_model(tmp_path)
    for _ in range(60):
        changed = bytearray(whole)
        for place in generator.integers(0, len(whole), 3):
            changed[place] = generator.integers(0, 256)
        (tmp_path / MODEL_FILE).write_bytes(bytes(changed))
        try:
            read_model(tmp_path)
        except (EnvironmentFault, UsageError):
            damaged += 1
    assert damaged > 40


def test_what_cannot_be_read_is_told_without_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> None:
        raise OSError(5, "Input/output error", str(path))

    (tmp_path / MODEL_FILE).touch()
    monkeypatch.setattr(module.zipfile, "ZipFile", fail)
    with pytest.raises(EnvironmentFault) as caught:
        read_model(tmp_path)
    assert caught.value.message == "the stored model cannot be read: Input/output error"


def test_a_file_that_unpacks_to_too_much_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SMALL", 1 << 20)
    with zipfile.ZipFile(tmp_path / MODEL_FILE, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b" " * (4 << 20))
    with pytest.raises(UsageError, match="to 4,194,304 bytes, which no model does"):
        read_model(tmp_path)


def test_what_a_stored_model_and_its_description_say_themselves_counts_for_nothing(tmp_path: Path) -> None:
    kind = "nbmlops.registry.registry.Candidate"
    (tmp_path / "MLmodel").write_text(f"flavors:\n  sklearn:\n    skops_trusted_types: [{kind}]\n")
    whole = skops_io.dumps([Candidate("a", "b", None, "c", None, None)])
    with zipfile.ZipFile(io.BytesIO(whole)) as before, zipfile.ZipFile(tmp_path / MODEL_FILE, "w") as after:
        for name in before.namelist():
            text = before.read(name)
            if name == "schema.json":
                schema = json.loads(text) | {"trusted": [kind], "_skops_trusted": True}
                text = json.dumps(schema).encode()
            after.writestr(name, text)
    with pytest.raises(UsageError, match=r"types that are not trusted: nbmlops\.registry\.registry\.Candidate"):
        read_model(tmp_path)


def test_members_that_lead_out_of_the_file_are_written_nowhere(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (folder / MODEL_FILE).write_bytes(skops_io.dumps(LogisticRegression().fit(X, Y)))
    with zipfile.ZipFile(folder / MODEL_FILE, "a") as archive:
        for name in ("../../outside.txt", "/tmp/nbmlops-outside.txt", "..\\outside.txt"):
            archive.writestr(name, b"hello")
    assert isinstance(read_model(folder), LogisticRegression)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        "a",
        "a/b",
        f"a/b/{MODEL_FILE}",
    ]
    assert not Path("/tmp/nbmlops-outside.txt").exists()
