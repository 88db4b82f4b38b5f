"""What keeps the promise, mechanism by mechanism, and how to switch each off, to see that a case then fails.

A switch puts something simpler in the place of a function of the compiler or the runtime. The tests' process switches
off what compiling does, the server what steps do; see `tests.promise.test_mechanisms`.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any
from unittest import mock

from msgspec import Struct
from msgspec.structs import replace

Replacement = Callable[[Any], Any]


class Mechanism(Struct, frozen=True):
    """One mechanism.

    Attributes:
        switches: What is replaced, "module:attribute", and by what; the replacement is made from the original.
        case: The case that fails without it: file and name.
        told: What that case does then: "different", "joined", codes of a refusal, or the name of an error.
    """

    switches: Mapping[str, Replacement]
    case: str
    told: str = "different"


@contextlib.contextmanager
def without(name: str) -> Iterator[None]:
    """Switches a mechanism off; "" for none."""
    with contextlib.ExitStack() as stack:
        for target, change in (MECHANISMS[name].switches if name else {}).items():
            module, _, path = target.partition(":")
            owner: Any = import_module(module)
            *outer, attribute = path.split(".")
            for part in outer:
                owner = getattr(owner, part)
            stack.enter_context(mock.patch.object(owner, attribute, change(getattr(owner, attribute))))
        yield


def always(value: Any) -> Replacement:
    """Returns a function that gives the value, whatever it is called with."""
    return lambda _original: lambda *_args, **_named: value


def gives(value: Any) -> Replacement:
    """Returns the value itself."""
    return lambda _original: value


def _apart(_original: Any) -> Any:
    return lambda walks: tuple((name,) for name in walks)


def _own_index(_original: Any) -> Any:
    return lambda _indexes, _token, make: make()


def _in_order(original: Any) -> Any:
    return lambda value: import_module("nbmlops.runtime.handover.set_order").SetPlan(tuple(value))


def _without_numpy_types(original: Any) -> Any:
    def encode(value: Any, walk: Any, fingerprint: Any) -> Any:
        numpy = import_module("numpy")
        return original(value.item() if isinstance(value, numpy.generic) else value, walk, fingerprint)

    return encode


def _plain_frame(original: Any) -> Any:
    def encode(value: Any) -> Any:
        bare = value.reset_index(drop=True)
        bare.attrs = {}
        return original(bare)

    return encode


def _placed(placement: str) -> Replacement:
    """Returns definitions all in one place."""

    def change(original: Any) -> Any:
        def place(graph: Any) -> Any:
            kind = import_module("nbmlops.analysis.model").Placement(placement)
            return {name: replace(found, placement=kind) for name, found in original(graph).items()}

        return place

    return change


def _binds_what_it_may(original: Any) -> Any:
    def effects(*given: Any) -> Any:
        found = original(*given)
        return replace(found, binds=found.may_bind)

    return effects


def _nothing_changes(original: Any) -> Any:
    def effects(*given: Any) -> Any:
        return replace(original(*given), mutates=frozenset())

    return effects


def _all_bound(_original: Any) -> Any:
    return lambda steps, *_others: [_Everything()] * (len(steps) + 1)


def _parameters_stay(original: Any) -> Any:
    def connect(graph: Any) -> None:
        original(graph)
        for step in graph.steps:
            taken = [given for given in step.inputs if given.name in graph.namespace.parameters]
            step.inputs = tuple(given for given in step.inputs if given not in taken)
            step.parameters += tuple(given.name for given in taken)

    return connect


def _only_outputs(original: Any) -> Any:
    def save(handover: Any, outputs: Any, *others: Any) -> Any:
        handover._live = {name: value for name, value in handover._live.items() if name in outputs}
        return original(handover, outputs, *others)

    return save


def _as_list(original: Any) -> Any:
    """Returns generators as if they had looked at what they iterate."""

    def walk(walker: Any, node: Any) -> Any:
        lazy = isinstance(node, ast.GeneratorExp)
        return original(walker, ast.copy_location(ast.ListComp(node.elt, node.generators), node) if lazy else node)

    return walk


class _Everything(frozenset[str]):
    """A set that holds every name."""

    def __contains__(self, _name: object) -> bool:
        return True


MECHANISMS: dict[str, Mechanism] = {
    "names that share objects are stored as one": Mechanism(
        {"nbmlops.runtime.handover.handover:shared_groups": _apart},
        "sharing: alias made in A, changed through it in B, read by the first name in C",
    ),
    "an index that two values hold stays one": Mechanism(
        {"nbmlops.runtime.handover.indexes:Indexes.taken": _own_index},
        "frames: an index that a series was made over gets a name through the frame",
    ),
    "an index that a step renames is renamed in values that it does not read": Mechanism(
        {"nbmlops.runtime.handover.indexes:Indexes.renamed": always(frozenset())},
        "frames: the frame is renamed where the series is not read, and the other way round",
    ),
    "arrays that share memory keep sharing it": Mechanism(
        {
            "nbmlops.runtime.handover.sharing:memory_clusters": always([]),
            "nbmlops.runtime.handover.pickling:memory_clusters": always([]),
        },
        "sharing: views of an array",
    ),
    "what changed without being an output is found at the end of a step": Mechanism(
        {"nbmlops.runtime.handover.handover:Handover.save": _only_outputs},
        "sharing: reshaped view, changed in a later step by the other name",
    ),
    "arrays keep their gaps": Mechanism(
        {
            "nbmlops.runtime.handover.sharing:has_gaps": always(False),
            "nbmlops.runtime.handover.pickling:has_gaps": always(False),
        },
        "layout: a column of an array that is not handed over, its products in a later step",
    ),
    "a step that may change a value hands it over": Mechanism(
        {
            "nbmlops.analysis.analyze:_effects": _nothing_changes,
            "nbmlops.runtime.handover.handover:Handover.save": _only_outputs,
        },
        "mechanisms: a step changes a frame that only a function names",
    ),
    "the random state goes from step to step": Mechanism(
        {"nbmlops.runtime.ambient.random_state:restore": always(None)},
        "arrays: global random numbers, seeded in A, used in B and C",
    ),
    "settings go from step to step": Mechanism(
        {"nbmlops.runtime.ambient.session:AmbientSession._restore": always(None)},
        "state: setting of pandas in a step",
    ),
    "functions in settings travel with their code": Mechanism(
        {"nbmlops.runtime.ambient.values:_importable": always(True)},
        "ambient: float format of pandas by a lambda",
        "joined",
    ),
    "steps run in one process where a setting cannot be stored": Mechanism(
        {"nbmlops.runtime.step:live_settings": always(())},
        "ambient: setting that cannot be stored, set anew by a later step",
    ),
    "imports wait for what a step sets above them": Mechanism(
        {"nbmlops.analysis.namespace:late_imports": always(frozenset())},
        "ambient: import path set in the step that needs it",
        "ModuleNotFoundError",
    ),
    "the environment is prepared before anything is imported": Mechanism(
        {"nbmlops.analysis.analyze:changes_imports": always(False)},
        "ambient: environment that a module reads while it is imported, in a shared cell",
    ),
    "settings of shared cells that are made from values run in order": Mechanism(
        {"nbmlops.analysis.analyze:_run_in_order": always(None)},
        "ambient: later setting of a shared cell wins over one made from values",
    ),
    "sets keep their order": Mechanism(
        {"nbmlops.runtime.handover.pickling:plan_set": _in_order}, "mechanisms: order of a set that was thinned out"
    ),
    "scalars keep their types": Mechanism(
        {"nbmlops.runtime.handover.codecs:encode": _without_numpy_types}, "arrays: numpy scalar keeps its type"
    ),
    "frames keep index and attributes": Mechanism(
        {"nbmlops.runtime.handover.frames:encode": _plain_frame},
        "frames: range index, integer column names, negative zero, infinities",
    ),
    "the NaN of a module stays that object": Mechanism(
        {
            "nbmlops.runtime.handover.sharing:known_nan": always(""),
            "nbmlops.runtime.handover.pickling:known_nan": always(""),
        },
        "flow: nan in an object column is found by identity",
    ),
    "functions that read names are made anew over their present values": Mechanism(
        {"nbmlops.analysis.analyze:place_definitions": _placed("module")},
        "definitions: function with a global that is bound again in B, called in C",
        "NameError",
    ),
    "functions and classes are imported by reference": Mechanism(
        {"nbmlops.analysis.analyze:place_definitions": _placed("step")},
        "definitions: instance of a class from functions, isinstance in B",
        "joined",
    ),
    "names are bound where every path binds them": Mechanism(
        {"nbmlops.analysis.analyze:_effects": _binds_what_it_may},
        "flow: if binds a name that has a value already",
        "UnboundLocalError",
    ),
    "a name that has no value is handed over as that": Mechanism(
        {"nbmlops.analysis.interface:surely_bound": _all_bound},
        "unbound: a name bound only on a path not taken",
        "UnboundLocalError",
    ),
    "what functions read and bind counts where they are called": Mechanism(
        {"nbmlops.analysis.flow.calls:CallWalker.run": always(None)},
        "state: function changes a global by `global`",
    ),
    "`global` means the step's variable": Mechanism(
        {"nbmlops.compiler.targets.steps:function_text": lambda _original: lambda text: text},
        "flow: global bound on some paths of a function",
    ),
    "a parameter that is bound again is a variable": Mechanism(
        {"nbmlops.analysis.analyze:connect_steps": _parameters_stay}, "flow: parameter set again in A and read in B"
    ),
    "state of shared cells is made once": Mechanism(
        {"nbmlops.analysis.steps:_makes_setup": always(False)},
        "state: cache of a functions cell, and an id made in imports",
        "NB203",
    ),
    "names in queries are read": Mechanism(
        {"nbmlops.analysis.fidelity.hidden:names_in_query": always(())},
        "frames: query and eval with names of the notebook",
        "pandas.errors.UndefinedVariableError",
    ),
    "what a cell shows is shown": Mechanism(
        {"nbmlops.compiler.targets.steps:shown_units": always(set())},
        "flow: list display of a step whose last expression is a call of print",
    ),
    "builtins that a step binds are its own before": Mechanism(
        {"nbmlops.analysis.interface:_builtins": always(())},
        "flow: a builtin rebound in a step that used it",
        "UnboundLocalError",
    ),
    "steps that share what cannot be stored are joined": Mechanism(
        {"nbmlops.runtime.schedule.units:last_reader": always(-1)}, "state: generator", "StepFailed"
    ),
    "live functions and joined steps have one variable of each name": Mechanism(
        {"nbmlops.runtime.handover.closures:SharedVariables.rebind": always(None)},
        "joined: lambdas over a variable that later steps bind anew",
    ),
    "what live functions bind is the namespace's": Mechanism(
        {"nbmlops.runtime.steps.alive:Alive.take_variables": always(None)},
        "joined: a variable that only a live function binds, read by a later step",
    ),
    "a class that is alive is not made anew in its process": Mechanism(
        {"nbmlops.runtime.handover.closures:SharedVariables._made_already": always("")},
        "joined: instances of a class over state, made in two steps",
    ),
    "what pickle would take for something else stays in its process": Mechanism(
        {"nbmlops.runtime.handover.sharing:bound_to_process": always("")}, "joined: ctypes over the memory of a buffer"
    ),
    "temporary folders exist as long as their names": Mechanism(
        {"nbmlops.runtime.steps.observe:Observer._keep_folder": always(None)},
        "joined: temporary folder of which later steps know the path only",
        "FileNotFoundError",
    ),
    "steps that need the notebook's namespace run verbatim": Mechanism(
        {"nbmlops.analysis.steps:choose_modes": always([])},
        "verbatim: exec binds names that nobody sees",
        "NameError",
    ),
    "star imports are written out": Mechanism(
        {"nbmlops.compiler.compile:expand_stars": lambda _original: lambda notebook, _names: notebook},
        "stars: names of a star import in functions and steps",
        "NB201",
    ),
    "blocks that only decide what names mean live once": Mechanism(
        {"nbmlops.analysis.namespace:movable_blocks": always({})},
        "optional: fall-back function",
        "joined",
    ),
    "what comes out differently each time is made once": Mechanism(
        {"nbmlops.analysis.fidelity.kept:fickle_part": always("")}, "once: class attribute with a unique id"
    ),
    "definitions that remember are values": Mechanism(
        {"nbmlops.analysis.fidelity.kept:lasting_state": always("")}, "once: decorator that counts in a closure"
    ),
    "lazy iterators hold what they iterate": Mechanism(
        {"nbmlops.analysis.flow.expressions:ExpressionWalker._comprehension": _as_list},
        "joined: list parameter that a generator iterates, changed in a later step",
    ),
    "what importing does stays": Mechanism(
        {"nbmlops.analysis.imports.import_effects:_wanted": always(())},
        "imports: a module beside the notebook that gives data frames an accessor",
        "AttributeError",
    ),
    "a step goes on after an error on purpose": Mechanism(
        {"nbmlops.compiler.targets.verbatim:RAISES": gives("skipped")},
        "raises: an error on purpose, and values after it",
        "ZeroDivisionError",
    ),
    "names live as long as in the notebook where that matters": Mechanism(
        {"nbmlops.analysis.fidelity.modes:lifetime_reasons": always({})}, "lifetimes: weak reference made in a method"
    ),
    "nothing but the notebook's names keeps what its code lets go": Mechanism(
        {"nbmlops.runtime.handover.handover:Handover.release": always(frozenset())},
        "lifetimes: del prints when a name is bound anew",
    ),
    "objects that a weak reference points to stay": Mechanism(
        {"nbmlops.runtime.handover.bound:_is_watched": always(False)}, "lifetimes: weakref finalize"
    ),
    "objects that say how they are pickled stay": Mechanism(
        {"nbmlops.runtime.handover.bound:bound_by_class": always("")}, "lifetimes: getstate drops a counter"
    ),
    "the text of a missing name's error is the notebook's": Mechanism(
        {"nbmlops.analysis.fidelity.modes:steps_that_show_missing_names": always({})},
        "errors: text of the error of a name that an earlier step may have bound",
    ),
    "what importing shows is shown once": Mechanism(
        {"nbmlops.analysis.analyze:shown_before": lambda _: lambda graph, *_: {step.name: () for step in graph.steps}},
        "imports: a module beside the notebook that prints when it is imported",
    ),
    "what code tells apart by identity stays": Mechanism(
        {"nbmlops.runtime.handover.handover:told_apart": always("")}, "identity: tuple of atoms identity"
    ),
}
