"""Names that files, packages and functions can have, from what people call notebooks and steps."""

from __future__ import annotations

import builtins
import hashlib
import keyword
import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping

_LONGEST = 60
_LONGEST_STEP = 80
_STEP = re.compile(r"[^\W\d][\w.-]*|_[\w.-]*")
# File names that Windows keeps for devices.
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(10))})
# What stands beside the steps in a generated package, or is bound in every step notebook.
_TAKEN_IN_PACKAGE = frozenset(
    {"params", "helpers", "settings", "tests", "show", "step", "open_step", "nbmlops", "matplotlib", "pandas", "numpy"}
)
# What stands beside the package in a pipeline's folder, and what every pipeline imports.
_TAKEN_BESIDE_PACKAGE = frozenset(
    {
        "notebooks", "tests", "test", "nbmlops", "mlflow", "pandas", "numpy", "papermill", "nbformat", "nbclient",
        "pandera", "pyarrow", "pydantic", "sklearn", "skops", "xxhash", "blake3", "click", "rich", "jinja2", "yaml",
        "packaging", "ipython", "matplotlib", "scipy", "seaborn",
    }
)  # fmt: skip
# Letters of other scripts that look like Latin ones; enough to notice a slip of the keyboard layout.
_LOOK_ALIKE = str.maketrans(
    "аеорсухіјѕһԁԛԝкмтвнАВЕКМНОРСТУХІЈЅαοιρνκτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijshdqwkmtbhABEKMHOPCTYXIJSaoipvktuxABEZHIKMNOPTYX",
)


def pipeline_name(stem: str, imported: Iterable[str] = ()) -> str:
    """Returns the pipeline's name for a notebook file's stem: a lower-case ASCII identifier that shadows no module.

    Args:
        stem: For example "01 Flight delays".
        imported: Top-level modules that the notebook imports; a package of that name would stand in their way.
    """
    name = _identifier(stem, "notebook")
    taken = _TAKEN_BESIDE_PACKAGE | _DEVICES | {module.lower() for module in imported}
    if keyword.iskeyword(name) or name in sys.stdlib_module_names or name in taken:
        return f"{name}_pipeline"
    return name


def module_names(step_names: Iterable[str], reserved: Iterable[str] = ()) -> Mapping[str, str]:
    """Returns step name -> the name of its module and function: safe, unique without regard to case, in the same order.

    A step whose name is already safe keeps it, whatever other steps are called, so that a new step renames no other.

    Args:
        step_names: The steps in the order of the notebook.
        reserved: Further names that no module may have, such as names that the notebook imports or hands over.
    """
    names = tuple(dict.fromkeys(step_names))
    taken = {name.lower() for name in reserved} | _TAKEN_IN_PACKAGE
    safe = {name: name for name in names if _module_name(name, taken) == name}
    used = set(safe)
    for name in names:
        if name in safe:
            continue
        plain = candidate = _module_name(name, taken)
        number = 2
        while candidate in used:
            candidate, number = f"{plain}_{number}", number + 1
        used.add(candidate)
        safe[name] = candidate
    return {name: safe[name] for name in names}


def step_name_fault(name: str) -> str:
    """Returns what is wrong with a step's name, "" if nothing is."""
    if len(name) > _LONGEST_STEP:
        return f"it has {len(name)} characters, and {_LONGEST_STEP} is the most"
    if not _STEP.fullmatch(name):
        return "a step's name holds letters, digits, `_`, `-` and `.`, and begins with a letter or `_`"
    return ""


def suggested_step_name(name: str) -> str:
    """Returns a name that is fit for a step and as near as possible."""
    return _identifier(name, "step")


def skeleton(name: str) -> str:
    """Returns the name as it looks: letters of other scripts replaced by the Latin ones of the same shape."""
    return unicodedata.normalize("NFKC", name).translate(_LOOK_ALIKE)


def _module_name(step: str, taken: Iterable[str]) -> str:
    name = _identifier(step, "step")
    unfit = keyword.iskeyword(name) or hasattr(builtins, name) or name in _DEVICES or name.startswith("__")
    return f"{name}_step" if unfit or name in taken else name


def _identifier(text: str, fallback: str) -> str:
    """Returns a lower-case ASCII identifier for any text; different texts without Latin letters stay different."""
    decomposed = unicodedata.normalize("NFKD", text).translate(_LOOK_ALIKE)
    plain = "".join(c for c in decomposed if not unicodedata.combining(c)).replace("ß", "ss")
    words = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    if not words:
        return f"{fallback}_{digest}"
    if len(words) > _LONGEST:
        words = f"{words[: _LONGEST - 7].rstrip('_')}_{digest}"
    return (
        f"nb_{words}"
        if words[0].isdigit() and fallback == "notebook"
        else f"step_{words}"
        if words[0].isdigit()
        else words
    )
