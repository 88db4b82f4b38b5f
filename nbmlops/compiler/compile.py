"""Compiling: a notebook becomes a pipeline and its files. A pure function: same input, same bytes.

It reads the notebook's code, tags and Markdown, the options, and the templates; never outputs, clock or environment.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from nbmlops.analysis.analyze import analyze
from nbmlops.analysis.imports.stars import expand_stars
from nbmlops.analysis.suppress import suppress
from nbmlops.compiler.cells import read_cells
from nbmlops.compiler.closing import read_closing
from nbmlops.compiler.digests import step_digest
from nbmlops.compiler.headings import explanations, remarks
from nbmlops.compiler.lower import lower
from nbmlops.compiler.modules import Module, compile_check
from nbmlops.compiler.program import Compiled, CompileOptions, Program
from nbmlops.compiler.secret_cells import find_secrets, masked, secret_defaults, warnings
from nbmlops.compiler.targets.deployment import Target, TargetFile, deployment
from nbmlops.compiler.targets.documents import dockerfile, dockerignore, readme, smoke_test
from nbmlops.compiler.targets.find import find_targets
from nbmlops.compiler.targets.package import package_modules
from nbmlops.compiler.targets.step_notebooks import cells_of_verbatim, step_notebook
from nbmlops.compiler.targets.verbatim import verbatim_lines
from nbmlops.core.diagnostics import has_errors, sort_diagnostics
from nbmlops.core.digest import digest_bytes, digest_json
from nbmlops.core.errors import UsageError
from nbmlops.notebook.model import Notebook
from nbmlops.pipeline.codec import FILE_NAME, joined, yaml_sections
from nbmlops.pipeline.ir import DEFAULT_TARGETS, Pipeline, StepMode

LOCK = "requirements.lock"
_LATE = {"version", "targets", "files"}


def compile_notebook(notebook: Notebook, options: CompileOptions) -> Compiled:
    """Returns the pipeline and all its files, or the diagnostics that stand in the way.

    Args:
        notebook: The notebook; faults that were found while reading it count.
        options: Everything else that compiling reads.

    Raises:
        UsageError: there is no such target.
        NbmlopsError: a generated file is not valid Python, which is a fault of ours.
    """
    targets = find_targets(options.targets)
    notebook = expand_stars(notebook, options.star_names)
    closing = read_closing(notebook, options)
    analysis = analyze(notebook, closing.names, options.local_modules)
    secrets = find_secrets(notebook, options.no_secrets)
    found = masked((*analysis.diagnostics, *warnings(notebook, secrets)), secrets)
    diagnostics, suppressed = suppress(notebook, sort_diagnostics(found))
    if has_errors(diagnostics):
        return Compiled(None, {}, options.out, diagnostics, suppressed)
    cells_of_steps = {facts.name: facts.cells for facts in analysis.steps}
    program = Program(
        notebook=notebook,
        analysis=analysis,
        options=options,
        pipeline=lower(notebook, analysis, closing, options),
        cells=read_cells(notebook),
        explanations=explanations(notebook, cells_of_steps),
        remarks=remarks(notebook, cells_of_steps),
    )
    pipeline, files = emit(program, targets)
    return Compiled(pipeline, files, options.out, diagnostics, suppressed, secret_defaults(pipeline, secrets))


def emit(program: Program, targets: Sequence[Target] = ()) -> tuple[Pipeline, dict[str, bytes]]:
    """Returns the finished pipeline and its files by path, sorted.

    Raises:
        UsageError: two targets write the same file.
        NbmlopsError: a generated file is not valid Python, which is a fault of ours.
    """
    modules = package_modules(program)
    code = {f"{program.package}/{module.name}.py": module.text for module in modules}
    of_targets = [file for target in targets for file in target.emit(deployment(program))]
    tests = {f"tests/test_{program.package}.py": smoke_test(program)}
    scripts = {file.path: file.text for file in of_targets if file.path.endswith(".py")}
    compile_check(code | tests | scripts)
    versioned = _bytes(code) | {step.notebook: step_notebook(program, step) for step in program.pipeline.steps}
    versioned[LOCK] = program.options.lock.encode()
    packages = tuple(package for target in targets for package in target.image_packages)
    written = {"README.md": readme(program, of_targets), "Dockerfile": dockerfile(program, packages)}
    written["Dockerfile.dockerignore"] = dockerignore()
    out = program.options.out
    documents = _bytes(tests | written)
    documents |= _target_files(out, of_targets, {*versioned, *documents, FILE_NAME})
    pipeline, sections = _finish(program, modules, versioned)
    generated = versioned | documents
    # The lock is an input with an owner of its own, so it is written but not watched for edits.
    recorded = {path: str(digest_bytes(generated[path])) for path in sorted(generated) if path != LOCK}
    generated[FILE_NAME] = joined(yaml_sections(pipeline, recorded, sections))
    return pipeline, {posixpath.normpath(posixpath.join(out, path)): generated[path] for path in sorted(generated)}


def _target_files(out: str, files: Iterable[TargetFile], others: set[str]) -> dict[str, bytes]:
    """Returns path relative to the pipeline's folder -> content of the targets' files.

    Raises:
        UsageError: a target writes a file that is the pipeline's or another target's.
    """
    found: dict[str, bytes] = {}
    for file in files:
        path = posixpath.relpath(file.path, out)
        if path in found or path in others:
            raise UsageError(f"two of the targets, or one and the pipeline, write {file.path}", "leave one of them out")
        found[path] = file.text.encode()
    return found


def _finish(program: Program, modules: list[Module], versioned: Mapping[str, bytes]) -> tuple[Pipeline, dict[str, str]]:
    """Returns the pipeline with digests, source maps and its version, and the parts of its document that stay."""
    lines = {module.name: module.lines for module in modules}
    for step in program.pipeline.steps:
        if step.mode is StepMode.VERBATIM:
            lines[step.module] = verbatim_lines(program, cells_of_verbatim(program, step))
    steps = tuple(
        replace(step, digest=step_digest(program, step), lines=lines[step.module]) for step in program.pipeline.steps
    )
    own = {step.module for step in steps}
    shared = {f"{module.name}.py": module.lines for module in modules if module.name not in own and module.lines}
    pipeline = replace(program.pipeline, steps=steps, lines=shared)
    # What it is written for does not make it another pipeline.
    sections = yaml_sections(replace(pipeline, targets=DEFAULT_TARGETS), {})
    code = {path: str(digest_bytes(content)) for path, content in sorted(versioned.items())}
    version = digest_json({"document": joined(sections).decode(), "files": code})
    return replace(pipeline, version=version), {key: sections[key] for key in sections.keys() - _LATE}


def _bytes(texts: Mapping[str, str]) -> dict[str, bytes]:
    return {path: text.encode() for path, text in texts.items()}
