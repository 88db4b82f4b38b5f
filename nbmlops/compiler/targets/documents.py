"""README, Dockerfile and smoke test of a pipeline: whole files from templates."""

from __future__ import annotations

import json
import math
import posixpath
import re
import shlex
from collections.abc import Sequence

from nbmlops.analysis.model import Placement
from nbmlops.compiler.layout import cells_of
from nbmlops.compiler.lock import python_version
from nbmlops.compiler.program import Program
from nbmlops.compiler.targets import markdown
from nbmlops.compiler.targets.deployment import WORKFLOWS, TargetFile
from nbmlops.compiler.targets.parameters import default_text
from nbmlops.compiler.targets.quoting import plain_path, shell_path
from nbmlops.compiler.templates import render, text
from nbmlops.pipeline.graph import mermaid
from nbmlops.pipeline.ir import ParameterType, Step, StepMode

_MOST_NAMES = 8
_WRITTEN_AS_TEXT = frozenset({ParameterType.DATE, ParameterType.DATETIME, ParameterType.PATH})


def readme(program: Program, of_targets: Sequence[TargetFile]) -> str:
    """Returns the pipeline's README.

    Args:
        program: The compiled notebook.
        of_targets: The files of the targets.
    """
    pipeline, options = program.pipeline, program.options
    out = _from_root(program, options.out)
    parameters = [
        {
            "name": declaration.name,
            "type": declaration.type.value,
            "default": default_text(declaration, program.cells[declaration.cell]),
            "comment": declaration.comment.strip().removeprefix("#").strip(),
        }
        for declaration in program.analysis.parameters
    ]
    return render(
        "pipeline/README.md.j2",
        title=pipeline.title or pipeline.name,
        name=pipeline.name,
        notebook=_from_root(program, options.notebook),
        compile_command=" ".join(compile_command(program)),
        run_command=f"nbmlops run {shell_path(out)}",
        example_parameter=_example(program),
        runs=f"runs/{pipeline.name}/",
        gate=pipeline.gate is not None,
        register=pipeline.register is not None,
        model_name=pipeline.register.model_name if pipeline.register else "",
        first_notebook=pipeline.steps[0].notebook if pipeline.steps else "",
        parameters=parameters,
        graph=mermaid(pipeline),
        steps=[_row(program, step) for step in pipeline.steps],
        verbatim=[step for step in pipeline.steps if step.mode is StepMode.VERBATIM],
        files=_files(program, of_targets),
        workflow=next((file.path for file in of_targets if file.path.startswith(WORKFLOWS)), ""),
        branch=options.branch,
        python=python_version(options.lock),
        lock=shell_path(posixpath.join(out, "requirements.lock")),
        tests=shell_path(posixpath.join(out, "tests")),
        promote_command=_promote_command(program),
        dockerfile=shell_path(posixpath.join(out, "Dockerfile")),
        image=pipeline.name.strip("_").replace("__", "_"),
    )


def dockerfile(program: Program, packages: Sequence[str]) -> str:
    """Returns the Dockerfile, to be built from the project's root.

    Args:
        program: The compiled notebook.
        packages: What the targets need in the image besides the lock.
    """
    out = _from_root(program, program.options.out)
    lock = _docker_path(posixpath.join(out, "requirements.lock"))
    return render(
        "pipeline/Dockerfile.j2",
        python=python_version(program.options.lock),
        packages=" ".join(map(shlex.quote, packages)),
        lock=json.dumps([lock, "/tmp/requirements.lock"], ensure_ascii=True),  # noqa: S108  # a path in the image
        entrypoint=json.dumps(["nbmlops", "run", plain_path(out)], ensure_ascii=True),
    )


def dockerignore() -> str:
    """Returns what building the image leaves out, for the file that Docker reads beside the Dockerfile."""
    return text("pipeline/Dockerfile.dockerignore.txt")


def smoke_test(program: Program) -> str:
    """Returns the test that the package imports and fits the pipeline document."""
    verbatim = _has_verbatim(program)
    return render(
        "pipeline/test_pipeline.py.j2",
        name=program.package,
        parameters=bool(program.analysis.parameters),
        dates=any(p.type in _WRITTEN_AS_TEXT for p in program.analysis.parameters),
        environment=bool(program.analysis.environment),
        settings=bool(program.analysis.settings),
        kernel=verbatim or any(facts.awaits for facts in program.analysis.steps),
        verbatim=verbatim,
    )


def compile_command(program: Program) -> list[str]:
    """Returns the command that compiles the notebook again, from the project's root, quoted for a shell."""
    options = program.options
    command = ["nbmlops", "compile", shell_path(_from_root(program, options.notebook))]
    if not options.out_is_default:
        command += ["-o", shell_path(_from_root(program, options.out))]
    return command


def _from_root(program: Program, path: str) -> str:
    return posixpath.relpath(path, program.options.root)


def _docker_path(path: str) -> str:
    # COPY expands variables and patterns in paths; a backslash takes their meaning away.
    return re.sub(r"([\\$*?\[\]])", r"\\\1", path)


def _example(program: Program) -> str:
    """Returns a parameter with another value than its default, as `-p` takes it; "" where there is no number."""
    for declaration in program.analysis.parameters:
        match declaration.default:
            case bool():
                continue
            case int(value):
                return f"{declaration.name}={value + 1}"
            case float(value) if math.isfinite(value):
                return f"{declaration.name}={value / 2 if value else 0.5!r}"
            case _:
                continue
    return ""


def _row(program: Program, step: Step) -> dict[str, str]:
    is_function = step.mode is StepMode.FUNCTION
    path = posixpath.join(program.package, f"{step.module}.py") if is_function else step.notebook
    return {
        "link": f"[{markdown.inline(step.name)}]({path})",
        "summary": program.explanations[step.name].short(step.name),
        "cells": cells_of(program.code_cells(step)).partition(" ")[2],
        "inputs": _names([*step.parameters, *(value.name for value in step.inputs)]),
        "outputs": _names(step.outputs),
    }


def _has_verbatim(program: Program) -> bool:
    return any(step.mode is StepMode.VERBATIM for step in program.pipeline.steps)


def _promote_command(program: Program) -> str:
    stage = program.pipeline.register
    return f"nbmlops promote {shell_path(stage.model_name)} --reason TEXT" if stage else ""


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(markdown.code(name) for name in names[:_MOST_NAMES])
    return shown + (f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else "")


def _files(program: Program, of_targets: Sequence[TargetFile]) -> list[dict[str, str]]:
    package = program.package
    cells = "; cells that need a notebook's namespace stand in it as they are" if _has_verbatim(program) else ""
    files = [("pipeline.yaml", "the pipeline: steps, parameters, inputs and outputs, source cells, digests")]
    files += [(f"{package}/", "the package: a module per step, with the notebook's code and comments")]
    if program.analysis.parameters:
        files += [(f"{package}/params.py", "the parameters as a typed record")]
    definitions = any(d.placement is Placement.MODULE for d in program.analysis.definitions)
    if definitions or program.analysis.constants:
        files += [(f"{package}/helpers.py", "constants, functions and classes that steps share")]
    if program.analysis.environment:
        files += [(f"{package}/environment.py", "what imports depend on, set before every step imports anything")]
    if program.analysis.settings:
        files += [(f"{package}/settings.py", "settings of libraries, applied first in every step")]
    files += [
        ("notebooks/", "a papermill notebook per step: load the inputs, call the step, save the outputs" + cells),
        ("requirements.lock", "what the notebook's imports resolve to; `nbmlops lock` refreshes it"),
        (f"tests/test_{package}.py", "a smoke test that the team can grow beside"),
        ("Dockerfile", "an image that runs the pipeline; `Dockerfile.dockerignore` keeps runs and stores out of it"),
    ]
    beside = [(posixpath.relpath(file.path, program.options.out), file.about) for file in of_targets]
    files += [(path, about) for path, about in beside if not path.startswith("..")]
    return [{"path": path, "text": text} for path, text in files]
