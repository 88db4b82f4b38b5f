"""What a step leaves in its process for the steps that are joined with it: live values, variables, names."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FunctionType

from msgspec import Struct, field

from nbmlops.pipeline.ir import Step, StepMode
from nbmlops.pipeline.run_record import LiveValue
from nbmlops.runtime.ambient.random_state import RandomState
from nbmlops.runtime.handover.bound import bound_to_process
from nbmlops.runtime.handover.closures import SharedVariables
from nbmlops.runtime.handover.handover import Handover

_OF_THE_SESSION = frozenset({"In", "Out", "exit", "get_ipython", "open", "quit"})


class Alive(Struct):
    """What is alive in this process.

    Attributes:
        handover: The values.
        shared: Variables of earlier steps that functions alive refer to.
        random: The random state when the last step ended, None before.
        names: Names of the kernel's namespace that stay from step to step.
        folders: Temporary folders that are to stay.
    """

    handover: Handover
    shared: SharedVariables = field(default_factory=SharedVariables)
    random: RandomState | None = None
    names: frozenset[str] = frozenset()
    folders: list[TemporaryDirectory[str]] = field(default_factory=list)

    def enter(self, step: Step, package: str) -> Mapping[str, object]:
        """Lets the function of a joined step use the variables that live functions of earlier steps refer to.

        Returns:
            For a verbatim step the definitions that it must not make anew, by name.
        """
        if step.mode is StepMode.FUNCTION:
            self.shared.rebind(step, import_module(f"{package}.{step.module}"))
            return {}
        return {**_classes(self.shared.definitions), **_definitions(vars(sys.modules["__main__"]))}

    def take_variables(self, outputs: Mapping[str, object]) -> None:
        """Makes the values of names the same in both places: the variables of live functions, and the namespace."""
        for name, value in list(self.shared.values()):
            if name in outputs:
                self.shared.cells[name].cell_contents = outputs[name]
            elif self.handover.has(name):
                self.handover.bind(name, value)

    def keep_folders(self, made: Iterable[TemporaryDirectory[str]]) -> tuple[LiveValue, ...]:
        """Returns what keeps the process alive for temporary folders that no name of the namespace stands for."""
        held = {id(value) for value in self.handover.values()}
        self.folders += [folder for folder in made if id(folder) not in held]
        if not any(Path(folder.name).is_dir() for folder in self.folders):
            return ()
        return (LiveValue("temporary folder", "tempfile.TemporaryDirectory", bound_to_process(self.folders[0])),)

    def leave(self, step: Step, package: str, ours: Collection[str]) -> None:
        """Clears the kernel's namespace of the names of a step that is over; its values stay alive.

        Args:
            step: The step.
            package: The generated package.
            ours: Names of its notebook that are none of the user's.
        """
        namespace = vars(sys.modules["__main__"])
        made = set(ours)  # functions that cells of a verbatim step define read its other names
        if step.mode is StepMode.VERBATIM:
            self.shared.definitions |= _classes(_definitions(namespace))
        if step.mode is StepMode.FUNCTION:
            function = vars(import_module(f"{package}.{step.module}")).get(step.module)
            if isinstance(function, FunctionType):
                self.shared.learn(function)
            made = {name for name in namespace if not name.startswith("_")} - self.names - _OF_THE_SESSION
        for name in made:
            namespace.pop(name, None)
        self.names = frozenset(namespace)


def _definitions(namespace: Mapping[str, object]) -> dict[str, object]:
    """Returns the classes and functions of a kernel's namespace that its cells have made."""
    kinds = (type, FunctionType)
    return {
        n: v for n, v in namespace.items() if isinstance(v, kinds) and (v.__module__, v.__name__) == ("__main__", n)
    }


def _classes(definitions: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in definitions.items() if isinstance(value, type)}
