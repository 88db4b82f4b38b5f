"""Engines without engines: generated files are executed beside these modules, and their tasks are called.

What comes out is what a real engine would do with the file: the tasks in order, and the command that each one runs.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock


@dataclass
class Called:
    """What a file made of its tasks.

    Attributes:
        commands: Task -> the command that it ran.
        folders: Task -> where it ran it.
        secrets: Task -> the variables of its process that the engine's secrets gave.
        needs: Task -> the tasks that it waits for.
        settings: Task -> whatever else the file said of it.
        shown: Parameter as the engine shows it -> default.
    """

    commands: dict[str, list[str]] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    needs: dict[str, list[str]] = field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)

    def run(self, task: str, work: Callable[[], object]) -> None:
        """Calls a task, and notes the one command that it runs."""
        with mock.patch.object(subprocess, "run") as started:
            work()
        (command,) = started.call_args.args
        self.commands[task] = command
        self.folders[task] = str(started.call_args.kwargs.get("cwd", ""))
        variables = started.call_args.kwargs.get("env") or {}
        self.secrets[task] = {name: value for name, value in variables.items() if value.startswith("secret ")}
        assert started.call_count == 1
        assert started.call_args.kwargs["check"] is True


def call_airflow(path: Path, given: Mapping[str, Any]) -> Called:
    """Returns what Airflow would do with a DAG file when it is triggered with these values."""
    called = Called()
    work: dict[str, Callable[[], object]] = {}

    class Node:
        def __init__(self, name: str) -> None:
            self.name = name

        def __rshift__(self, later: Node) -> Node:
            called.needs[later.name].append(self.name)
            return later

    def task(**settings: Any) -> Callable[[Callable[[], object]], Callable[[], Node]]:
        def decorate(function: Callable[[], object]) -> Callable[[], Node]:
            def make() -> Node:
                name = settings["task_id"]
                work[name] = function
                called.settings[name] = {key: value for key, value in settings.items() if key != "task_id"}
                called.needs[name] = []
                return Node(name)

            return make

        return decorate

    @contextmanager
    def dag(**settings: Any) -> Iterator[None]:
        called.settings["dag"] = settings
        called.shown |= {name: value for name, (value, _) in settings["params"].items()}
        yield

    def context() -> dict[str, Any]:
        return {"params": called.shown | dict(given)}

    sdk = SimpleNamespace(DAG=dag, Param=lambda value, type: (value, type), get_current_context=context, task=task)  # noqa: A006 - Airflow's name
    with _modules(
        {"airflow": {}, "airflow.sdk": vars(sdk) | {"Variable": SimpleNamespace(get=lambda name: f"secret {name}")}}
    ):
        _execute(path)
        for name, function in work.items():
            called.run(name, function)
    return called


def call_kfp(path: Path, given: Mapping[str, Any]) -> Called:
    """Returns what Kubeflow Pipelines would do with a pipeline's file when it is started with these values."""
    called = Called()
    pipelines: list[Callable[..., object]] = []

    class Task:
        def __init__(self, work: Callable[[], object]) -> None:
            self.work, self.waits, self.said = work, [], {}

        def set_display_name(self, name: str) -> None:
            self.name = name

        def after(self, *others: Task) -> Task:
            called.needs[self.name] = [other.name for other in others]
            called.settings[self.name] = self.said
            called.run(self.name, self.work)
            return self

        def __getattr__(self, name: str) -> Callable[..., Task]:
            def say(*values: Any, **named: Any) -> Task:
                self.said.setdefault(name, []).append([*values, *named.items()])
                return self

            return say

    def component(**settings: Any) -> Callable[[Callable[..., object]], Callable[..., Task]]:
        called.settings["component"] = settings
        return lambda function: lambda **arguments: Task(lambda: function(**arguments))

    def pipeline(name: str) -> Callable[[Callable[..., object]], Callable[..., object]]:
        called.settings["pipeline"] = {"name": name}

        def decorate(function: Callable[..., object]) -> Callable[..., object]:
            pipelines.append(function)
            return function

        return decorate

    dsl = SimpleNamespace(component=component, pipeline=pipeline)

    def use_secret(task: Task, **settings: Any) -> None:
        task.said.setdefault("secrets", []).append(settings)

    kubernetes = SimpleNamespace(use_secret_as_env=use_secret)
    with _modules({"kfp": {"compiler": None, "dsl": dsl, "kubernetes": kubernetes}}):
        _execute(path)
        defaults = pipelines[0].__defaults__ or ()
        names = pipelines[0].__code__.co_varnames[: len(defaults)]
        called.shown |= dict(zip(names, defaults, strict=True))
        pipelines[0](**given)
    return called


def call_prefect(path: Path, given: Mapping[str, Any]) -> Called:
    """Returns what Prefect would do with a flow's file when it is started with these values."""
    called = Called()

    class Task:
        def __init__(self, work: Callable[..., object], name: str) -> None:
            self.work, self.name = work, name

        def with_options(self, **settings: Any) -> Task:
            called.settings[self.name] = settings
            return self

        def submit(self, options: list[str], values: Mapping[str, Any], wait_for: list[Task]) -> Task:
            called.needs[self.name] = [other.name for other in wait_for]
            called.run(self.name, lambda: self.work(options, values))
            return self

        def result(self) -> None:
            called.settings.setdefault("waited for", {})[self.name] = True

    def task(work: Callable[..., object], name: str, task_run_name: str, *, persist_result: bool) -> Task:
        assert (task_run_name, persist_result) == (name, False)
        return Task(work, name)

    contents = {"flow": _decorator(called), "task": task}
    block = SimpleNamespace(load=lambda name: SimpleNamespace(get=lambda: f"secret {name}"))
    modules = {"prefect": contents, "prefect.blocks": {}, "prefect.blocks.system": {"Secret": block}}
    with _modules(modules):
        _start(called, _execute(path), given)
    return called


def call_zenml(path: Path, given: Mapping[str, Any]) -> Called:
    """Returns what ZenML would do with a pipeline's file when it is started with these values."""
    called = Called()

    class Step:
        def __init__(self, work: Callable[..., object], settings: Mapping[str, Any]) -> None:
            self.work, self.settings = work, settings

        def with_options(self, **settings: Any) -> Step:
            return Step(self.work, settings)

        def __call__(self, options: list[str], values: Mapping[str, Any], id: str, after: list[str]) -> None:  # noqa: A002 - ZenML's name
            called.needs[id] = after
            called.settings[id] = dict(self.settings)
            called.run(id, lambda: self.work(options, values))

    def step(*, enable_cache: bool) -> Callable[[Callable[..., object]], Step]:
        assert enable_cache is False
        return lambda work: Step(work, {})

    def settings(**values: Any) -> dict[str, Any]:
        return values

    secrets = SimpleNamespace(get_secret=lambda name: SimpleNamespace(secret_values={name: f"secret {name}"}))
    modules = {
        "zenml": {"pipeline": _decorator(called), "step": step},
        "zenml.client": {"Client": lambda: secrets},
        "zenml.config": {"ResourceSettings": settings},
        "zenml.config.retry_config": {"StepRetryConfig": settings},
        "zenml.config.schedule": {"Schedule": settings},
    }
    with _modules(modules):
        _start(called, _execute(path), given)
    return called


def _decorator(called: Called) -> Callable[..., Callable[[Callable[..., object]], Callable[..., object]]]:
    def make(**settings: Any) -> Callable[[Callable[..., object]], Callable[..., object]]:
        def decorate(function: Callable[..., object]) -> Callable[..., object]:
            called.settings["all"] = {**settings, "function": function}
            return function

        return decorate

    return make


def _start(called: Called, namespace: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Calls the function that stands for the whole pipeline."""
    function = called.settings["all"].pop("function")
    assert namespace[function.__name__] is function
    defaults = function.__defaults__ or ()
    called.shown |= dict(zip(function.__code__.co_varnames[: len(defaults)], defaults, strict=True))
    function(**given)


@contextmanager
def _modules(contents: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    made = {}
    for name, content in contents.items():
        made[name] = ModuleType(name)
        vars(made[name]).update(content)
    with mock.patch.dict(sys.modules, made):
        yield


def _execute(path: Path) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "generated", "__file__": str(path)}
    exec(compile(path.read_text("utf-8"), path, "exec", dont_inherit=True), namespace)
    return namespace
