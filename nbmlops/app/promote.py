"""Promoting: a registered version becomes the champion of its name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nbmlops.app.closing import promoter
from nbmlops.app.config import load_config
from nbmlops.app.opened import open_pipeline
from nbmlops.app.project import PIPELINES, find_root, pipeline_names
from nbmlops.app.wiring import open_existing, tracking_uri
from nbmlops.core.errors import UsageError
from nbmlops.pipeline.run_record import Lineage, ModelVersionRef
from nbmlops.registry.promote import promote
from nbmlops.registry.registry import CHALLENGER
from nbmlops.tracking.lineage import lineage_from_tags


@dataclass(frozen=True, slots=True)
class PromoteOutcome:
    """The champion after promoting, its lineage, the version that was champion before, and whether anything changed."""

    champion: ModelVersionRef
    lineage: Lineage
    former: ModelVersionRef | None
    changed: bool


def promote_model(text: str, reason: str, cwd: Path) -> PromoteOutcome:
    """Returns the promotion of a version to champion.

    Args:
        text: `MODEL`, `MODEL@alias` or `MODEL/version`; without a selector its challenger.
        reason: Why; kept with the version.
        cwd: A folder of the project.

    Raises:
        UsageError: there is no such model or version, or the text names none.
        GateRejected: the version has no passing verdict.
        Conflict: somebody else moved the alias meanwhile.
        EnvironmentFault: the registry cannot be used.
    """
    name, selector = parse_model(text)
    root = find_root(cwd)
    stores = open_existing(root, store_of(root, name, cwd))
    promotion = promote(stores.registry, name, selector, promoter(reason))
    champion, former = promotion.champion, promotion.former
    return PromoteOutcome(
        champion=champion.ref,
        lineage=lineage_from_tags(champion.tags),
        former=former.ref if former is not None else None,
        changed=promotion.changed,
    )


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


def store_of(root: Path, model: str, cwd: Path) -> str:
    """Returns the address of the store of the pipeline that registers under this name, else that of the project."""
    config = load_config(root)
    for name in pipeline_names(root):
        opened = open_pipeline(str(root / PIPELINES / name), cwd)
        if opened.model_name == model:
            return opened.uri
    return tracking_uri(root, config.for_pipeline(model))
