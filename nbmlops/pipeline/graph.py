"""The graph of a pipeline: what depends on what, and its picture for the README.

Steps stand in notebook order, which is a valid order of execution, so one pass answers every question.
"""

from __future__ import annotations

from nbmlops.pipeline.ir import Input, Pipeline, Step

MAX_NAMES_ON_AN_EDGE = 3


def predecessors(step: Step) -> frozenset[str]:
    """Returns the steps that must have run directly before this one, by data or by `prev:`."""
    return frozenset(step.after) | {value.step for value in step.inputs}


def ancestors(pipeline: Pipeline, name: str) -> frozenset[str]:
    """Returns the steps that must run before the step of this name, without itself.

    Raises:
        KeyError: there is no such step.
    """
    found = set(predecessors(pipeline.step(name)))
    for step in reversed(pipeline.steps):
        if step.name in found:
            found |= predecessors(step)
    return frozenset(found)


def descendants(pipeline: Pipeline, name: str) -> frozenset[str]:
    """Returns the steps that need the step of this name, directly or not, without itself.

    Raises:
        KeyError: there is no such step.
    """
    found = {pipeline.step(name).name}
    for step in pipeline.steps:
        if predecessors(step) & found:
            found.add(step.name)
    return frozenset(found - {name})


def mermaid(pipeline: Pipeline) -> str:
    """Returns the graph as Mermaid text, which GitHub draws: steps as boxes, values as labels of the edges."""
    ids = {step.name: f"s{number}" for number, step in enumerate(pipeline.steps, 1)}
    lines = ["flowchart TD", *(f'    {ids[step.name]}["{_label(step.name)}"]' for step in pipeline.steps)]
    for step in pipeline.steps:
        lines += [
            _edge(ids[before], ids[step.name], [value.name for value in step.inputs if value.step == before])
            for before in sorted(predecessors(step), key=list(ids).index)
        ]
    if pipeline.gate:
        lines.append('    gate{{"gate"}}')
        lines += [_edge(ids[source.value.step], "gate", [source.name]) for source in pipeline.metrics]
        metric_steps = [step.name for step in pipeline.steps if step.metrics]
        lines += [_edge(ids[name], "gate", list(pipeline.step(name).metrics)) for name in metric_steps]
    if pipeline.register:
        lines.append(f'    register(["register {_label(pipeline.register.model_name)}"])')
        lines += ["    gate --> register"] if pipeline.gate else []
        lines += _registered_values(pipeline.register.model, pipeline.register.data, ids)
    return "\n".join(lines) + "\n"


def _registered_values(model: Input, data: Input | None, ids: dict[str, str]) -> list[str]:
    values = [model] if data is None else [model, data]
    return [
        _edge(ids[step], "register", [value.name for value in values if value.step == step])
        for step in dict.fromkeys(value.step for value in values)
    ]


def _edge(source: str, target: str, names: list[str]) -> str:
    if not names:
        return f"    {source} --> {target}"
    shown = names[:MAX_NAMES_ON_AN_EDGE]
    rest = len(names) - len(shown)
    return f'    {source} -->|"{_label(", ".join(shown))}{f" and {rest} more" if rest else ""}"| {target}'


def _label(text: str) -> str:
    from html import escape  # noqa: PLC0415 - a run reads this module for the order of steps, and draws nothing

    # Mermaid ends a label at a quote and reads HTML entities in it, with `#` in the place of `&`.
    return escape(text.replace("#", "\0")).replace("&#x27;", "'").replace("&", "#").replace("\0", "#35;")
