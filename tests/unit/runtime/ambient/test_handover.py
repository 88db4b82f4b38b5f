"""Settings between store and process: stored without what lives in the process only, refused where that is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbmlops.core.errors import StepFailed
from nbmlops.pipeline.run_record import LiveValue
from nbmlops.runtime.ambient.ambient import AmbientState, Setting
from nbmlops.runtime.ambient.handover import live_settings, refuse_lost_settings, store_settings, stored_settings
from nbmlops.runtime.ambient.values import Form, item_of
from nbmlops.runtime.reuse.records import StepOutcome
from nbmlops.runtime.store.store import ObjectRef, Store


def test_what_cannot_be_stored_is_told_and_left_out(tmp_path: Path) -> None:
    store, digits = Store(tmp_path), 2
    rows = item_of(5, "case")
    shown = item_of(lambda x: round(x, digits), "case")
    changed = {"pandas options": {"display.max_rows": rows, "display.float_format": shown}}
    settings = store_settings(store, changed)
    assert stored_settings(store, AmbientState(None, settings)) == {"pandas options": {"display.max_rows": rows}}
    assert settings == store_settings(store, {"pandas options": {"display.max_rows": rows}})
    reason = "the function '<lambda>' uses variables of the code around it"
    live = LiveValue("pandas options: display.float_format", "function", reason)
    assert (shown.form, live_settings(changed)) == (Form.UNSTORABLE, (live,))

    refuse_lost_settings([StepOutcome(), StepOutcome(live=(LiveValue("f", "open file", ""),))], "b", "case")
    with pytest.raises(StepFailed) as refused:
        refuse_lost_settings([StepOutcome(live=(live,))], "b", "case")
    assert refused.value.message == (
        "step 'b' runs with a setting (pandas options) that cannot be stored: 'display.float_format' is of type "
        f"'function' ({reason})"
    )


def test_secrets_stand_in_the_store_only(tmp_path: Path) -> None:
    changed = {"environment variables": {"TOKEN": item_of("s3cret", "case")}}
    found = store_settings(Store(tmp_path), changed)["environment variables"]
    assert "s3cret" not in repr(found)
    assert (
        found.identity
        != store_settings(Store(tmp_path), {"environment variables": {}})["environment variables"].identity
    )


def test_a_state_that_is_gone_says_so(tmp_path: Path) -> None:
    lost = AmbientState(None, {"locale": Setting(ObjectRef("ab" * 32, 3), "1")})
    with pytest.raises(StepFailed, match="the locale that an earlier step left cannot be read"):
        stored_settings(Store(tmp_path), lost)
