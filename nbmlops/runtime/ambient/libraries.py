"""The parts of the ambient state that libraries have: options, styles, ways to print and to count errors.

No library is imported to look: a part exists in a process as soon as its library is loaded there.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from nbmlops.runtime.ambient.parts import Part

_OF_SEABORN = frozenset(
    f"{name}{end}" for name in ("rocket", "mako", "icefire", "vlag", "flare", "crest") for end in ("", "_r")
)
_HOW_FIGURES_ARE_SHOWN = frozenset({"backend", "backend_fallback", "interactive"})


class PandasOptions(Part):
    """Everything that `pd.set_option` sets."""

    name = "pandas options"
    library = "pandas"

    def capture(self) -> Mapping[str, object]:
        """Returns the options by their full names."""
        import pandas as pd

        options: Any = pd.options.d  # looked up one by one, deprecated options would warn
        return dict(_flat(options, ""))

    def restore(self, values: Mapping[str, Any], gone: Collection[str]) -> None:  # noqa: ARG002 - they are never gone
        """Sets them."""
        import pandas as pd

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that an option is deprecated was told when the notebook set it
            for name, value in values.items():
                pd.set_option(name, value)


def _flat(options: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, object]]:
    for name, value in options.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


class NumpySettings(Part):
    """How numpy prints arrays, and what it does about errors of floating point."""

    name = "numpy settings"
    library = "numpy"

    def capture(self) -> Mapping[str, object]:
        """Returns the options of both."""
        import numpy as np

        printing = {f"print {name}": value for name, value in np.get_printoptions().items()}
        errors = {f"error {name}": value for name, value in np.geterr().items()}
        return {**printing, **errors, "error call": np.geterrcall(), "buffer size": np.getbufsize()}

    def restore(self, values: Mapping[str, Any], gone: Collection[str]) -> None:  # noqa: ARG002 - they are never gone
        """Sets them."""
        import numpy as np

        rest = dict(values)
        if "error call" in rest:
            np.seterrcall(rest.pop("error call"))
        if "buffer size" in rest:
            np.setbufsize(rest.pop("buffer size"))
        for kind, setter in (("print ", np.set_printoptions), ("error ", np.seterr)):
            setter(**{name.removeprefix(kind): value for name, value in rest.items() if name.startswith(kind)})


class MatplotlibSettings(Part):
    """`rcParams`, which styles and seaborn's themes set, too, what the one-letter colours mean, and added colormaps.

    How figures reach the screen (backend, interactive mode) belongs to the process that shows them.
    """

    name = "matplotlib settings"
    library = "matplotlib"
    _COLORS = "bgrmykcw"
    _MAP = "colormap "

    def capture(self) -> Mapping[str, object]:
        """Returns the parameters, the colours and the colormaps."""
        import matplotlib as mpl
        from matplotlib.colors import get_named_colors_mapping

        # The copy does not settle the backend, as looking it up would.
        parameters = {name: value for name, value in mpl.rcParams.copy().items() if name not in _HOW_FIGURES_ARE_SHOWN}
        colors = get_named_colors_mapping()
        found = {**parameters, **{f"color {letter}": colors[letter] for letter in self._COLORS}}
        return {**found, **{f"{self._MAP}{name}": mpl.colormaps[name] for name in self._added(mpl)}}

    def restore(self, values: Mapping[str, Any], gone: Collection[str]) -> None:
        """Sets them, and takes added colormaps away."""
        import matplotlib as mpl
        from matplotlib.colors import get_named_colors_mapping

        colors: Any = get_named_colors_mapping()
        rest = dict(values)
        with warnings.catch_warnings():
            # That a parameter is deprecated, or a colormap replaced, was told when the notebook did it.
            warnings.simplefilter("ignore")
            for name in values:
                if name.startswith("color "):
                    colors[name.removeprefix("color ")] = rest.pop(name)
                elif name.startswith(self._MAP):  # before the parameter that may name it
                    mpl.colormaps.register(rest.pop(name), name=name.removeprefix(self._MAP), force=True)
            mpl.rcParams.update(rest)
        for name in {name.removeprefix(self._MAP) for name in gone} - _OF_SEABORN:
            mpl.colormaps.unregister(name)

    def _added(self, mpl: Any) -> list[str]:
        """Returns the colormaps that matplotlib does not have by itself.

        Those that seaborn adds when it is imported count only as the default one: steps that name them import seaborn.
        """
        default = mpl.rcParams["image.cmap"]
        own = mpl.colormaps._builtin_cmaps  # noqa: SLF001 - the only place that tells them from those that were added
        return [name for name in mpl.colormaps if name not in own and (name not in _OF_SEABORN or name == default)]


class ScikitLearnConfiguration(Part):
    """What `sklearn.set_config` sets."""

    name = "scikit-learn configuration"
    library = "sklearn"

    def capture(self) -> Mapping[str, object]:
        """Returns the configuration."""
        import sklearn

        return dict(sklearn.get_config())

    def restore(self, values: Mapping[str, Any], gone: Collection[str]) -> None:  # noqa: ARG002 - they are never gone
        """Sets it."""
        import sklearn

        sklearn.set_config(**values)


class TorchSettings(Part):
    """What torch computes with by default."""

    name = "torch settings"
    library = "torch"

    def capture(self) -> Mapping[str, object]:
        """Returns the defaults."""
        torch: Any = sys.modules[self.library]
        return {
            "dtype": str(torch.get_default_dtype()),
            "device": str(torch.get_default_device()),
            "gradients": torch.is_grad_enabled(),
            "deterministic": torch.are_deterministic_algorithms_enabled(),
            "warn only": torch.is_deterministic_algorithms_warn_only_enabled(),
        }

    def restore(self, values: Mapping[str, Any], gone: Collection[str]) -> None:  # noqa: ARG002 - they are never gone
        """Sets them."""
        torch: Any = sys.modules[self.library]
        if "dtype" in values:
            torch.set_default_dtype(getattr(torch, values["dtype"].removeprefix("torch.")))
        if "device" in values:
            torch.set_default_device(values["device"])
        if "gradients" in values:
            torch.set_grad_enabled(values["gradients"])
        if {"deterministic", "warn only"} & values.keys():
            now: dict[str, Any] = {**self.capture(), **values}
            torch.use_deterministic_algorithms(now["deterministic"], warn_only=now["warn only"])


class TorchGenerators(Part):
    """The states of torch's random generators; for `random` and numpy see `nbmlops.runtime.ambient.random_state`."""

    name = "torch random state"
    library = "torch"
    used_when_changed = True

    def capture(self) -> Mapping[str, object]:
        """Returns the state of the processor's generator, and those of devices that were used."""
        torch: Any = sys.modules[self.library]
        found: dict[str, object] = {"cpu": bytes(torch.get_rng_state().tolist())}
        if torch.cuda.is_initialized():
            states = [bytes(state.tolist()) for state in torch.cuda.get_rng_state_all()]
            found |= {f"cuda {number}": state for number, state in enumerate(states)}
        return found

    def restore(self, values: Mapping[str, Any], gone: Collection[str]) -> None:  # noqa: ARG002 - they are never gone
        """Sets them."""
        torch: Any = sys.modules[self.library]
        for name, state in values.items():
            tensor = torch.tensor(list(state), dtype=torch.uint8)
            if name == "cpu":
                torch.set_rng_state(tensor)
            else:
                torch.cuda.set_rng_state(tensor, int(name.removeprefix("cuda ")))
