"""The libraries that a version was made with: how those here differ, and an environment that has them."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from msgspec import Struct

from nbmlops.app.commands import run_command
from nbmlops.app.compiling.lock_text import OWN
from nbmlops.app.project import STATE_FOLDER
from nbmlops.compiler.lock import python_version
from nbmlops.core.digest import digest_bytes
from nbmlops.core.errors import EnvironmentFault
from nbmlops.runtime.reuse.libraries import installed_versions, normalized

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;]+)", re.MULTILINE)
_DONE = ".complete"
_SECONDS = 3600


class Difference(Struct, frozen=True):
    """A distribution of which a lock names another version than the one that is installed, "" for none."""

    name: str
    locked: str
    here: str


def differences(lock: Path) -> tuple[Difference, ...]:
    """Returns how the libraries of this process differ from those of a `requirements.lock`; () where there is none."""
    try:
        text = lock.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    installed = installed_versions(sys.path)
    locked = {normalized(name): version for name, version in _PIN.findall(text)}
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    wanted = python_version(text)
    found = [Difference("python", wanted, here)] if wanted != here else []
    found += [
        Difference(name, version, installed.get(name, ""))
        for name, version in sorted(locked.items())
        if installed.get(name, "") != version
    ]
    return tuple(found)


def interpreter_for(lock: Path, root: Path) -> str:
    """Returns the Python of an environment with the libraries of a lock, made now unless it is there.

    Args:
        lock: A `requirements.lock`.
        root: The project's root, below which environments are kept.

    Raises:
        EnvironmentFault: its version of Python is not here, or a library cannot be installed.
    """
    text = lock.read_text(encoding="utf-8")
    folder = root / STATE_FOLDER / "environments" / digest_bytes(text.encode())[:16]
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if (folder / _DONE).exists():
        return str(python)
    wanted = python_version(text)
    base = sys.executable if _is_own(wanted) else shutil.which(f"python{wanted}")
    if base is None:
        raise EnvironmentFault(
            f"Python {wanted}, which the version was made with, is not here",
            "install it, or compare with what is here: --here",
        )
    shutil.rmtree(folder, ignore_errors=True)
    requirements = folder / "requirements.txt"
    _run([base, "-m", "venv", str(folder)], "an environment cannot be made")
    own = Path(__file__).resolve().parents[3]
    is_source = (own / "pyproject.toml").is_file()
    lines = [line for line in text.splitlines() if not (is_source and line.startswith(f"{OWN}=="))]
    requirements.write_text("\n".join(lines) + "\n", encoding="utf-8")
    _run(
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(requirements)],
        "the libraries of the lock cannot be installed",
    )
    if is_source:  # it runs from a working copy, which is no package that could be installed from elsewhere
        (_packages(folder) / f"{OWN}.pth").write_text(f"{own}\n", encoding="utf-8")
    (folder / _DONE).touch()
    return str(python)


def _is_own(wanted: str) -> bool:
    return wanted == f"{sys.version_info.major}.{sys.version_info.minor}"


def _packages(folder: Path) -> Path:
    found = [*folder.glob("lib/python*/site-packages"), *folder.glob("Lib/site-packages")]
    return found[0]


def _run(command: list[str], fault: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    run_command(command, environment, _SECONDS, fault, "compare with the libraries that are here: --here")
