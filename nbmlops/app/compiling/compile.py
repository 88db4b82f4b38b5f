"""Compiling: a notebook, the configuration and the lock become a pipeline's files, written, compared or only shown."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from nbmlops.analysis.imports.stars import star_modules
from nbmlops.analysis.model import ClosingNames
from nbmlops.analysis.proposing.proposal import Proposal
from nbmlops.app.compiling.installed import installed_distributions, marker_environment, own_version
from nbmlops.app.compiling.lock_text import required_names, resolve_lock
from nbmlops.app.compiling.sources import imported_modules, local_modules
from nbmlops.app.compiling.star_names import ask_star_names
from nbmlops.app.compiling.steps import cut_notebook, recorded_steps, steps_wanted
from nbmlops.app.config.config import PipelineConfig, load_config
from nbmlops.app.config.demands import check_step_names
from nbmlops.app.gitignore import ensure_gitignore
from nbmlops.app.project import LOCK_FILE, PIPELINE_FILE, default_out, find_root, resolve, shown_path
from nbmlops.compiler.compile import compile_notebook
from nbmlops.compiler.program import Compiled, CompileOptions
from nbmlops.compiler.project import Changes, plan_changes, write
from nbmlops.compiler.targets.find import NONE
from nbmlops.core.diagnostics import has_errors
from nbmlops.core.errors import EnvironmentFault, ExitCode, UsageError
from nbmlops.notebook.model import Notebook
from nbmlops.notebook.reader import read_notebook
from nbmlops.pipeline.codec import read_pipeline
from nbmlops.pipeline.ir import DEFAULT_TARGETS


class CompileStatus(StrEnum):
    """What became of compiling; `REFUSED`: the notebook has errors, nothing was touched."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    STALE = "stale"
    PLANNED = "planned"
    REFUSED = "refused"


class CompileMode(StrEnum):
    """What to do with the files: write them, compare them with those on disk, or show what would change."""

    WRITE = "write"
    CHECK = "check"
    DRY_RUN = "dry-run"


class CompileRequest(Struct, frozen=True):
    """What the caller asks for.

    Attributes:
        notebook: The notebook as the user named it, relative to `cwd`.
        cwd: The folder that relative paths count from and that messages are relative to.
        out: The pipeline's folder as the user named it, or "".
        targets: What to write it for besides the local runner; empty for what its pipeline records, or GitHub Actions.
        mode: What to do with the files.
        force: Overwrite files that were edited by hand.
        steps: Where the steps come from; "" for the notebook's tags, or what its pipeline records, or inference.
    """

    notebook: str
    cwd: Path
    out: str = ""
    targets: tuple[str, ...] = ()
    mode: CompileMode = CompileMode.WRITE
    force: bool = False
    steps: str = ""


class Source(Struct, frozen=True):
    """A notebook that was read, with its project.

    Attributes:
        notebook: The notebook.
        path: Its file, absolute.
        root: The project's root, absolute.
        repository: The folder that holds `.git`, or the project's root; paths of generated files count from it.
        name: The pipeline's name.
        config: The pipeline's settings.
        modules: What the cells import.
        local: Sources of the imported modules that stand beside the notebook.
        steps: Where its steps come from, as the pipeline records it; see `CompileOptions`.
        proposal: By what it was cut into steps; None where its tags say so.
    """

    notebook: Notebook
    path: Path
    root: Path
    repository: Path
    name: str
    config: PipelineConfig
    modules: tuple[str, ...]
    local: Mapping[str, str]
    steps: str = ""
    proposal: Proposal | None = None


class CompileOutcome(Struct, frozen=True):
    """What compiling did.

    Attributes:
        status: In one word.
        name: The pipeline's name.
        out: Its folder, relative to the caller's folder.
        compiled: The pipeline and its files, paths relative to the repository's root.
        changes: What is (or would be) different on disk; None when the notebook was refused.
        base: The repository's root, relative to the caller's folder.
        notes: What the user should know or do.
    """

    status: CompileStatus
    name: str
    out: str
    compiled: Compiled
    changes: Changes | None
    base: str
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """What the process tells its caller."""
        if self.status is CompileStatus.REFUSED:
            return ExitCode.USAGE
        return ExitCode.COMPARISON_FAILED if self.status is CompileStatus.STALE else ExitCode.SUCCESS


def open_source(notebook: str, cwd: Path) -> Source:
    """Returns a notebook with its project, ready to be compiled or inspected.

    Raises:
        UsageError: there is no such notebook, or it cannot be read.
        ConfigError: the configuration is malformed.
    """
    # A path that is relative to the process stays as the user wrote it in all messages.
    read = read_notebook(Path(notebook) if cwd == Path.cwd() else cwd / notebook)
    path = resolve(cwd / notebook)
    root = find_root(path)
    modules = imported_modules(read)
    name = read.name
    return Source(
        notebook=read,
        path=path,
        root=root,
        repository=_repository(root),
        name=name,
        config=load_config(root).for_pipeline(name),
        modules=modules,
        local=local_modules(path.parent, modules),
    )


def compile_project(request: CompileRequest) -> CompileOutcome:
    """Returns what compiling the notebook wrote, or would write, or found stale.

    Raises:
        UsageError: the notebook or the output folder cannot be used, or generated files were edited by hand.
        ConfigError: the configuration is malformed.
        EnvironmentFault: a file cannot be written.
    """
    source = open_source(request.notebook, request.cwd)
    out = resolve(request.cwd / request.out) if request.out else default_out(source.root, source.name)
    _check_out(out, source)
    lock, notes = _lock(source, out)
    stars = star_names(source, out if request.mode is CompileMode.CHECK else None)
    source = with_steps(source, request.steps, out, stars)
    targets = _targets(request.targets, out)
    compiled = compile_notebook(source.notebook, compile_options(source, out, lock, targets, stars))
    shown = shown_path(out, request.cwd)
    base = shown_path(source.repository, request.cwd)
    if compiled.pipeline is None or has_errors(compiled.diagnostics):
        return CompileOutcome(CompileStatus.REFUSED, source.name, shown, compiled, None, base)
    check_step_names(source.config.demands, compiled.pipeline, source.config.file)
    changes = plan_changes(source.repository, compiled)
    status = _status(request, changes)
    if status is CompileStatus.WRITTEN or (request.mode is CompileMode.WRITE and changes.hand_edited):
        write(source.repository, compiled, request.force)
    if request.mode is CompileMode.WRITE:
        notes = (*notes, *_ignore_notes(source.root))
    return CompileOutcome(status, source.name, shown, compiled, changes, base, notes)


def star_names(source: Source, recorded: Path | None = None) -> Mapping[str, tuple[str, ...]]:
    """Returns what the notebook's star imports bind, module -> names.

    Args:
        source: The notebook.
        recorded: A pipeline's folder whose record counts, so that comparing does not depend on the environment.

    Raises:
        UsageError: that folder's `pipeline.yaml` cannot be read.
    """
    modules = star_modules(source.notebook)
    document = recorded / PIPELINE_FILE if recorded and modules else None
    known = read_pipeline(document).star_imports if document and document.is_file() else {}
    asked = ask_star_names([module for module in modules if module not in known], source.path.parent)
    return {module: names for module in modules if (names := known.get(module, asked.get(module))) is not None}


def with_steps(source: Source, asked: str, out: Path, stars: Mapping[str, tuple[str, ...]]) -> Source:
    """Returns the source with its notebook cut into steps, where its tags do not say how.

    Args:
        source: The notebook with its project.
        asked: The value of `--steps`, "" if it was not given.
        out: The pipeline's folder, whose record counts.
        stars: What star imports bind, module -> names.

    Raises:
        UsageError: there is no such way, or the record cannot be read.
    """
    steps = steps_wanted(source.notebook, asked, out)
    if steps is None:
        return source
    recorded = recorded_steps(source.notebook, steps)
    notebook, proposal = cut_notebook(source.notebook, steps, _closing(source), source.local, stars)
    return replace(source, notebook=notebook, steps=recorded, proposal=proposal)


def _closing(source: Source) -> ClosingNames:
    return ClosingNames(source.config.model, source.config.data, source.config.metrics)


def compile_options(
    source: Source, out: Path, lock: str, targets: tuple[str, ...], stars: Mapping[str, tuple[str, ...]]
) -> CompileOptions:
    """Returns everything that compiling reads besides the notebook, as plain data."""
    return CompileOptions(
        notebook=_relative(source.path, source.repository),
        out=_relative(out, source.repository),
        root=_relative(source.root, source.repository),
        name=source.name,
        closing=_closing(source),
        model_name=source.config.model_name,
        gate=bool(source.config.policy.rules),
        lock=lock,
        local_modules=source.local,
        star_names=stars,
        steps=source.steps,
        targets=targets,
        out_is_default=out == default_out(source.root, source.name),
        compiler=own_version(),
        demands=source.config.demands,
        no_secrets=source.config.secrets.allowed,
        autolog=source.config.autolog,
    )


def _targets(asked: tuple[str, ...], out: Path) -> tuple[str, ...]:
    """Returns what to write the pipeline for: what the user asks for, else what it was written for before.

    Raises:
        UsageError: `pipeline.yaml` cannot be read.
    """
    document = out / PIPELINE_FILE
    if asked or not document.is_file():
        return tuple(name for name in dict.fromkeys(asked or DEFAULT_TARGETS) if name != NONE)
    return read_pipeline(document).targets


def _status(request: CompileRequest, changes: Changes) -> CompileStatus:
    differs = bool(changes.new or changes.changed or changes.removed or changes.hand_edited)
    if not differs:
        return CompileStatus.UNCHANGED
    by_mode = {
        CompileMode.WRITE: CompileStatus.WRITTEN,
        CompileMode.CHECK: CompileStatus.STALE,
        CompileMode.DRY_RUN: CompileStatus.PLANNED,
    }
    return by_mode[request.mode]


def _repository(root: Path) -> Path:
    return next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)


def _relative(path: Path, base: Path) -> str:
    return Path(os.path.relpath(path, base)).as_posix()


def _check_out(out: Path, source: Source) -> None:
    if out.exists() and not out.is_dir():
        raise UsageError(
            f"{shown_path(out, source.root)} is a file, not a folder",
            "choose another folder (-o DIR), or move the file away",
        )
    if not out.is_relative_to(source.repository):
        raise UsageError(
            f"the pipeline's folder must lie in the project {source.repository.name!r}, where its CI runs",
            f"choose a folder inside, such as {default_out(source.root, source.name).relative_to(source.repository)}",
        )
    existing = out / PIPELINE_FILE
    if existing.is_file():
        other = resolve(out / read_pipeline(existing).notebook)
        if other != source.path and other.exists():
            raise UsageError(
                f"{out.name} holds the pipeline of another notebook, {shown_path(other, source.root)}",
                "choose another folder (-o DIR), or rename one of the notebooks",
            )


def _lock(source: Source, out: Path) -> tuple[str, tuple[str, ...]]:
    """Returns the lock's text, the committed one or the first one, and notes about it.

    Raises:
        EnvironmentFault: the committed one cannot be read.
    """
    path = out / LOCK_FILE
    if path.exists():
        try:
            return path.read_text("utf-8"), ()
        except (OSError, UnicodeDecodeError) as error:
            raise EnvironmentFault(f"{path.name} cannot be read: {error}", "make it again: nbmlops lock") from error
    return resolved_lock(source)


def resolved_lock(source: Source) -> tuple[str, tuple[str, ...]]:
    """Returns the lock that this environment gives, and notes about modules that are not installed."""
    local = {name.partition(".")[0] for name in source.local}
    modules = [module for module in source.modules if module.partition(".")[0] not in local]
    lock = resolve_lock(modules, required_names(source.notebook), installed_distributions(), marker_environment())
    # No error: the import may stand in a `try`, and another machine may have what this one lacks.
    missing = ", ".join(lock.unresolved)
    return lock.text, (f"not installed here, so not in {LOCK_FILE}: {missing}",) if missing else ()


def _ignore_notes(root: Path) -> tuple[str, ...]:
    missing = ensure_gitignore(root)
    return (f"add to .gitignore what runs write: {' '.join(missing)}",) if missing else ()
