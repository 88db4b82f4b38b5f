"""The audit log as users read it: the lines of one model or of all, what is wrong with them, and what goes on now."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from nbmlops.app.versions.promote import model_name, model_stores
from nbmlops.core.errors import UsageError
from nbmlops.registry.audit import AuditLine, faults, line_from_json, read_log
from nbmlops.registry.lease import intent_of
from nbmlops.registry.promote import find_version
from nbmlops.registry.registry import CHALLENGER, CHAMPION, STAGE, ModelRegistry
from nbmlops.registry.transitions import standing


class ModelAudit(Struct, frozen=True):
    """The log of one model.

    Attributes:
        model: Its name.
        lines: What was done, in order.
        faults: What is wrong with the log, in words; () for an intact one.
        pending: Who is changing the model now, or was when that process died; "" for nobody.
        notes: What the log cannot know, as nbmlops had no part in it.
    """

    model: str
    lines: tuple[AuditLine, ...]
    faults: tuple[str, ...] = ()
    pending: str = ""
    notes: tuple[str, ...] = ()


def audit_models(name: str, cwd: Path, against: str = "") -> tuple[ModelAudit, ...]:
    """Returns the logs of a model, or of all that are registered.

    Args:
        name: The model; "" for all.
        cwd: A folder of the project.
        against: A file that `audit export` wrote as JSON lines, whose lines have to be the log's first ones; "" for
            none.

    Raises:
        UsageError: there is no such model, or the file holds no exported lines of it.
        EnvironmentFault: the registry cannot be used.
    """
    registry = model_stores(model_name(name) if name else "", cwd).registry
    if name:
        find_version(registry, model_name(name), _any_version(registry, model_name(name)))
    seen = _exported(cwd / against, model_name(name) if name else "") if against else ()
    names = (model_name(name),) if name else tuple(sorted({*registry.names(), *(line.model for line in seen)}))
    return tuple(_audit(registry, one, [line for line in seen if line.model == one]) for one in names)


def _audit(registry: ModelRegistry, model: str, seen: Sequence[AuditLine]) -> ModelAudit:
    now = standing(registry, model)
    log = read_log(now.entry, now.versions)
    pending = intent_of(registry, model)
    found = faults(log, now.entry, seen)
    others = tuple(
        f"the alias {alias} is version {number}: nbmlops does not move it, so the log says nothing of it"
        for alias, number in sorted(now.entry.aliases.items())
        if alias not in {CHAMPION, CHALLENGER}
    )
    # A model that nbmlops had no part in has no log, and its aliases are its owner's business.
    is_ours = bool(log.lines or seen) or any(STAGE in version.tags for version in now.versions)
    return ModelAudit(
        model=model,
        lines=log.lines,
        faults=found if is_ours else (),
        pending=str(pending[0]) if pending else "",
        notes=others if is_ours else (*found, *others),
    )


def _any_version(registry: ModelRegistry, model: str) -> str:
    versions = registry.versions(model)
    return versions[0].version if versions else ""


def _exported(path: Path, model: str) -> tuple[AuditLine, ...]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}", "name a file that `nbmlops audit export` wrote") from None
    lines = []
    for number, row in enumerate(text.splitlines(), start=1):
        try:
            document = json.loads(row)
            told = document.pop("hash")
            line = line_from_json(document)
        except (ValueError, KeyError, AttributeError, TypeError, UsageError) as error:
            raise UsageError(
                f"{path}, line {number}: not a line of an exported audit log ({error})",
                "name a file that `nbmlops audit export` wrote",
            ) from None
        if line.hash != told:
            raise UsageError(f"{path}, line {number}: its hash is another one: the file was altered")
        lines.append(line)
    if not any(not model or line.model == model for line in lines):
        raise UsageError(
            f"{path} holds no line of {model or 'any model'}, so there is nothing to compare with",
            "name a file that `nbmlops audit export` wrote",
        )
    return tuple(lines)
