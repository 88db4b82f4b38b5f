"""polars: a kind of its own, in which chunks, slices and the history of categories leave no trace."""

import io
from typing import Any

import pytest

from nbmlops.data.fingerprints.fingerprint import CannotFingerprint, fingerprint

pl: Any = pytest.importorskip("polars")

FRAME = pl.DataFrame(
    {
        "i": [1, 2, None, 4],
        "f": [1.5, float("nan"), None, -0.0],
        "s": ["a", None, "", "longer than a view holds"],
        "b": [True, None, False, True],
        "c": pl.Series(["y", "x", None, "y"], dtype=pl.Categorical),
        "e": pl.Series(["y", "x", None, "y"], dtype=pl.Enum(["x", "y"])),
        "t": pl.Series([0, 1, None, 3], dtype=pl.Datetime("us", "Europe/Paris")),
        "l": [[1], [], None, [2, 3]],
        "r": [{"p": 1}, {"p": None}, None, {"p": 3}],
        "d": pl.Series(["1.5", None, "2", "3"]).cast(pl.Decimal(10, 2)),
    }
)


def through_parquet(frame: Any) -> Any:
    stream = io.BytesIO()
    frame.write_parquet(stream)
    stream.seek(0)
    return pl.read_parquet(stream)


SAME = {
    "copy": FRAME.clone(),
    "chunks": pl.concat([FRAME[:1], FRAME[1:3], FRAME[3:]], rechunk=False),
    "slice": pl.concat([FRAME, FRAME])[4:],
    "parquet": through_parquet(FRAME),
    "lazy and collected": FRAME.lazy().collect(),
    "another history of categories": FRAME.with_columns(
        c=pl.concat([pl.Series(["q", "x"], dtype=pl.Categorical), FRAME["c"]])[2:]
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_what_is_no_change_is_not_noticed(name: str) -> None:
    assert fingerprint(SAME[name]) == fingerprint(FRAME)


def test_the_format_is_the_published_one() -> None:
    assert fingerprint(FRAME) == "277ca487d3e921d912efffaa5522881c"
    assert fingerprint(FRAME["s"]) == "85d6d3117ad34de5c3c213e4239e1098"


DIFFERENT = {
    "number": FRAME.with_columns(i=pl.Series([1, 2, None, 5])),
    "missing": FRAME.with_columns(i=pl.Series([1, 2, 0, 4])),
    "NaN is not missing": FRAME.with_columns(f=pl.Series([1.5, None, None, -0.0])),
    "sign of zero": FRAME.with_columns(f=pl.Series([1.5, float("nan"), None, 0.0])),
    "text": FRAME.with_columns(s=pl.Series(["a", None, "", "longer than a view hold"])),
    "type": FRAME.with_columns(pl.col("i").cast(pl.Int32)),
    "zone": FRAME.with_columns(pl.col("t").dt.convert_time_zone("Europe/Berlin")),
    "levels": FRAME.with_columns(pl.col("e").cast(pl.Enum(["y", "x"]))),
    "nested": FRAME.with_columns(l=pl.Series([[1], [], None, [2, 4]])),
    "name": FRAME.rename({"i": "j"}),
    "order of columns": FRAME.select(FRAME.columns[::-1]),
    "order of rows": FRAME[::-1],
    "length": FRAME[:3],
    "an Arrow table": FRAME.to_arrow(),
    "a series": FRAME["i"],
    "another name of a series": FRAME["i"].alias("k"),
}


def test_every_change_is_noticed() -> None:
    digests = {fingerprint(value) for value in (FRAME, *DIFFERENT.values())}
    assert len(digests) == len(DIFFERENT) + 1


def test_what_has_no_rows_yet_is_refused() -> None:
    with pytest.raises(CannotFingerprint, match=r"cannot fingerprint frame: a lazy frame of polars is a plan"):
        fingerprint(FRAME.lazy(), "frame")


def test_a_cell_that_cannot_be_fingerprinted_is_named() -> None:
    frame = pl.DataFrame({"ok": [1, 2], "bad": pl.Series([1, lambda: None], dtype=pl.Object)})
    with pytest.raises(CannotFingerprint) as caught:
        fingerprint(frame, "frame")
    assert caught.value.part == "frame['bad'][1]"
