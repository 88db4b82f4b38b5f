"""Changing which version of a model is what, and reading the log of it: promote, roll back, audit."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from nbmlops.app.config.config import load_config
from nbmlops.app.project import PIPELINES, find_root, pipeline_names
from nbmlops.app.running.closing import actor
from nbmlops.app.running.opened import open_pipeline
from nbmlops.app.wiring import Stores, open_existing, tracking_uri
from nbmlops.core.errors import UsageError
from nbmlops.pipeline.run_record import Lineage, ModelVersionRef
from nbmlops.registry.promote import Promotion, promote, rollback
from nbmlops.registry.registry import CHALLENGER, CHAMPION
from nbmlops.registry.transitions import Actor
from nbmlops.tracking.lineage import lineage_from_tags


class PromoteOutcome(Struct, frozen=True):
    """What a version has become.

    Attributes:
        version: The version.
        stage: What it is: champion, challenger or archived.
        lineage: Where it comes from.
        former: The version that was that before.
        changed: Whether anything changed.
    """

    version: ModelVersionRef
    stage: str
    lineage: Lineage
    former: ModelVersionRef | None
    changed: bool


def promote_model(
    text: str, reason: str, cwd: Path, *, to: str = CHAMPION, expected: str | None = None
) -> PromoteOutcome:
    """Returns what a version has become.

    Args:
        text: `MODEL`, `MODEL@alias` or `MODEL/version`; without a selector its challenger.
        reason: Why; kept in the audit log and with the version.
        cwd: A folder of the project.
        to: champion, challenger, archived, or their other names production and staging.
        expected: The version that has to be champion now; None for any.

    Raises:
        UsageError: there is no such model or version, the text names none, or no reason is given.
        GateRejected: the version has no passing verdict.
        Conflict: somebody else changed, or is changing, the model.
        EnvironmentFault: the registry cannot be used, or the version's stored model is gone.
    """
    name, selector = parse_model(text)
    registry = model_stores(name, cwd).registry
    me = _actor_with_reason(reason, f"nbmlops promote {text}")
    return _outcome(promote(registry, name, selector, me, to=to, expected=expected))


def rollback_model(text: str, reason: str, cwd: Path, *, to: str = "") -> PromoteOutcome:
    """Returns the version that is champion again.

    Args:
        text: The model's name.
        reason: Why; kept in the audit log and with the version.
        cwd: A folder of the project.
        to: The number of an earlier champion; "" for the one before the champion.

    Raises:
        UsageError: there is no such model, no champion to return to, or no reason is given.
        Conflict: somebody else changed, or is changing, the model.
        EnvironmentFault: the registry cannot be used, or the version's stored model is gone.
    """
    name = model_name(text)
    registry = model_stores(name, cwd).registry
    me = _actor_with_reason(reason, f"nbmlops rollback {name}")
    return _outcome(rollback(registry, name, me, to=to))


def parse_model(text: str, default: str = CHALLENGER) -> tuple[str, str]:
    """Returns model name and selector of `MODEL`, `MODEL@alias`, `MODEL/version` or `models:/MODEL…`.

    Args:
        text: What the user wrote.
        default: The selector where none is given.

    Raises:
        UsageError: the text has another form.
    """
    plain = text.removeprefix("models:/")
    for mark in ("@", "/"):
        name, found, selector = plain.partition(mark)
        if found:
            break
    else:
        name, found, selector = plain, "", default
    if not name or (found and not selector) or "/" in selector or "@" in selector:
        raise UsageError(f"{text!r} names no model version", "write MODEL, MODEL@alias or MODEL/version")
    return name, selector


def model_name(text: str) -> str:
    """Returns the name of a model.

    Raises:
        UsageError: the text is no name, or names a version.
    """
    name = text.removeprefix("models:/")
    if not name or "/" in name or "@" in name:
        raise UsageError(f"{text!r} is no model name", "write the name alone, as the registry has it")
    return name


def model_stores(model: str, cwd: Path) -> Stores:
    """Returns the stores of the pipeline that registers under this name, else those of the project.

    Raises:
        UsageError: nothing has been tracked there.
        ConfigError: the configuration is malformed.
    """
    root = find_root(cwd)
    return open_existing(root, store_of(root, model, cwd))


def store_of(root: Path, model: str, cwd: Path) -> str:
    """Returns the address of the store of the pipeline that registers under this name, else that of the project."""
    config = load_config(root)
    for name in pipeline_names(root):
        opened = open_pipeline(str(root / PIPELINES / name), cwd)
        if opened.model_name == model:
            return opened.uri
    return tracking_uri(root, config.for_pipeline(model))


def _actor_with_reason(reason: str, command: str) -> Actor:
    me = actor(reason)
    if not me.why:
        raise UsageError(
            "a change of what is live needs a reason, which is kept in the audit log", f'{command} --reason "…"'
        )
    return me


def _outcome(promotion: Promotion) -> PromoteOutcome:
    version, former = promotion.version, promotion.former
    return PromoteOutcome(
        version=version.ref,
        stage=promotion.stage,
        lineage=lineage_from_tags(version.tags),
        former=former.ref if former is not None else None,
        changed=promotion.changed,
    )
