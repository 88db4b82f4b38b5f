"""What a step was seen to do outside of its values: files it read and wrote, hosts it asked, modules it loaded.

Seen through Python's audit events, so that nothing has to be declared. Files of the Python installation are left out
(their versions stand in the key), but data files inside installed packages are kept.
"""

from __future__ import annotations

import os
import site
import stat
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from nbmlops.runtime.steps.listings import Listing, Question, asked, found_natively, is_importer
from nbmlops.runtime.steps.looks import LOOKS

_DATA_SUFFIXES = (".csv", ".tsv", ".zip", ".gz", ".bz2", ".xz", ".parquet", ".feather", ".arrow", ".json.gz", ".npz")
_SYSTEM = ("/proc/", "/sys/", "/dev/", "/run/", "/etc/", "/usr/", "/lib/", "/lib64/", "/bin/", "/sbin/")
_TOOL_FOLDERS = (
    ".ipython",
    ".jupyter",
    ".local/share/jupyter",
    ".cache/matplotlib",
    ".config/matplotlib",
    ".matplotlib",
)
_OURS = Path(__file__).parents[2]
_NETWORK = {"http.client.connect": 1, "urllib.Request": 0, "ftplib.connect": 1}
_PROGRAMS = {"subprocess.Popen": 1, "os.system": 0, "os.posix_spawn": 1, "os.spawn": 2}
_LISTING = ("glob.glob/2", "pathlib.Path.glob", "pathlib.Path.rglob", "os.listdir", "os.scandir")
# What changes files and folders without opening them: where the paths stand among the arguments.
_CHANGING = {
    "os.remove": (0,),
    "os.rmdir": (0,),
    "os.rename": (0, 1),
    "os.link": (1,),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "os.mkdir": (0,),
}
_MADE = {"tempfile.mkdtemp": 0, "tempfile.mkstemp": 0}
# There are hundreds of thousands of others: each call of `id` is one.
_HEEDED = frozenset({"open", "sqlite3.connect", "nbmlops.shell", *_PROGRAMS, *_LISTING, *_MADE, *_CHANGING, *_NETWORK})
_IMPORTER = "<frozen importlib."
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC


class Observer:
    """Watches one process from `start` on; a process has one at a time.

    Args:
        root: The project's root.
        package: Name of the generated package, whose modules are keyed by their digests.
        ignored: Folders that are none of the step's business: our own state, the generated pipeline.
    """

    def __init__(self, root: Path, package: str, ignored: Iterable[Path]) -> None:
        self._package = package
        self._root = str(root) + os.sep
        self._libraries = tuple(f"{path}{os.sep}" for path in (*site.getsitepackages(), site.getusersitepackages()))
        self._ignored = (*_python_folders(), *_tool_folders(), *(f"{path}{os.sep}" for path in (*ignored, _OURS)))
        self._stdlib = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib"))
        # Asked for each variable that is read, and a process reads all of them several times.
        self._not_users = ("<", *self._libraries, *_python_folders(), f"{_OURS}{os.sep}", sys.base_prefix)
        self._system = (*_SYSTEM, f"{sys.base_prefix}{os.sep}")
        self._active = False
        self._modules: frozenset[str] = frozenset()
        self.read: dict[str, tuple[int, int] | None] = {}
        self.imported: dict[str, tuple[int, int] | None] = {}
        self.written: dict[str, None] = {}
        self.altered: dict[str, None] = {}
        self.temporary: list[str] = []
        self.hosts: dict[str, None] = {}
        self.commands: dict[str, None] = {}
        self.listed: dict[Listing, None] = {}
        self.folders: list[tempfile.TemporaryDirectory[str]] = []

    def start(self, *, looks: bool = True) -> None:
        """Begins to watch; what was loaded before is not the step's.

        Args:
            looks: Whether questions if a path exists are seen too, by which functions of Python get other code.
        """
        self._modules = frozenset(sys.modules)
        tempfile.gettempdir()  # finds out by making a file
        self._active = True
        if looks:
            LOOKS.start(self._looked)
        sys.addaudithook(self._event)  # it cannot be removed; `stop` makes it idle

    def stop(self) -> None:
        """Ends watching."""
        self._active = False
        LOOKS.stop()
        # Whether something stands where the step itself has put or removed it is no fact that it depends on.
        own = self.altered.keys() | self.written.keys()
        kinds = [ask for ask in self.listed if ask.question is Question.KIND]
        for ask in kinds:
            if any(path in own for path in (os.path.join(ask.folder, ask.pattern), ask.folder)):  # noqa: PTH118 - texts
                del self.listed[ask]
        for path in {path for ask in self.listed for path in found_natively(ask)} - self.written.keys():
            self.read.setdefault(path, None)

    def forget(self) -> None:
        """Forgets what was seen so far; watching goes on."""
        for seen in (self.read, self.imported, self.written, self.altered, self.hosts, self.commands, self.listed):
            seen.clear()
        self.temporary.clear()
        self.folders.clear()

    def _event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _HEEDED or not self._active:
            return
        if event == "open":
            self._opened(*arguments)
        elif event in _PROGRAMS:
            if self._asked_by_user(sys._getframe(1)):  # noqa: SLF001 - the one way to know who asks
                self.commands[_command(arguments[_PROGRAMS[event]])] = None
        elif event in _LISTING:
            self._listed(asked(event, arguments))
        elif event in _MADE:
            self.temporary.append(str(arguments[_MADE[event]]))
            if event == "tempfile.mkdtemp":
                self._keep_folder(sys._getframe(1))  # noqa: SLF001 - the one way to know who asks
        else:
            self._did(event, arguments)

    def _did(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "sqlite3.connect":
            # ":memory:" and the like are no files and count as absent ones; the step itself may write to a database.
            path = os.fspath(arguments[0]) if isinstance(arguments[0], os.PathLike) else arguments[0]
            self._opened(path, "r", 0, may_change=True)
            self._alter(path)
        elif event in _CHANGING:
            self._changed(event, [arguments[place] for place in _CHANGING[event]])
        elif event in _NETWORK:
            self.hosts[str(arguments[_NETWORK[event]])] = None
        elif event == "nbmlops.shell":
            self.commands[str(arguments[0])] = None

    def _opened(self, path: Any, mode: Any, flags: Any, *, may_change: bool = False) -> None:
        if not isinstance(path, str | bytes):
            return
        text = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - links are kept as they are named, and this is fast
        if self._uninteresting(text):
            return
        writes = any(letter in mode for letter in "wax+") if isinstance(mode, str) else bool(flags & _WRITING)
        if writes:
            if text in self.read or _keeps_content(mode, flags):
                self.altered[text] = None
            self.written[text] = None
        elif text.endswith(".py") and sys._getframe(2).f_code.co_filename.startswith(_IMPORTER):  # noqa: SLF001 - as above
            self.imported.setdefault(text, _stamp(text))
        elif text not in self.written:
            self.read.setdefault(text, None if may_change else _stamp(text))

    def _changed(self, event: str, paths: list[Any]) -> None:
        """Notes files and folders that are removed, renamed or made, unless that undoes what the step did itself."""
        if event == "os.mkdir" and isinstance(paths[0], str | bytes) and Path(os.fsdecode(paths[0])).is_dir():
            return  # it is there; whoever asks knows what to do then
        for path in paths:
            if not (event == "os.remove" and isinstance(path, str) and os.path.abspath(path) in self.written):  # noqa: PTH100 - as below
                self._alter(path)

    def _alter(self, path: Any) -> None:
        if isinstance(path, str | bytes) and path not in {"", ":memory:"}:
            text = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - as below
            if not self._uninteresting(text):
                self.altered[text] = None

    def _looked(self, path: str) -> None:
        """Notes a question whether a path exists, of the user's code, or of a library that may open it past Python."""
        text = os.path.abspath(path)  # noqa: PTH100 - as above
        asking = sys._getframe(3)  # noqa: SLF001 - the one way to know who asks: whoever called the watched function
        if self._uninteresting(text) or self._is_temporary(text) or is_importer(asking.f_code.co_filename):
            return
        if self._asked_by_user(asking):
            self.listed[Listing(Question.KIND, *os.path.split(text))] = None
        elif text not in self.written and not text.endswith(".py") and _is_file(text):
            self.read.setdefault(text, None)

    def _keep_folder(self, frame: FrameType) -> None:
        """Keeps a temporary folder that a step's function makes: in the notebook it exists as long as its name.

        Args:
            frame: That of `mkdtemp`, within the one of what called it.
        """
        made = frame.f_back.f_locals.get("self") if frame.f_back else None
        asking = frame.f_back.f_back if frame.f_back else None
        is_step = asking is not None and asking.f_back is not None and asking.f_back.f_code.co_name == "<module>"
        is_own = asking is not None and is_step and self.is_users_code(asking.f_code.co_filename)
        if isinstance(made, tempfile.TemporaryDirectory) and is_own:
            self.folders.append(made)

    def _asked_by_user(self, frame: FrameType | None) -> bool:
        """Returns whether it is the user's code that calls the standard library here, and not some other library."""
        while frame is not None and self._is_standard(frame.f_code.co_filename):
            frame = frame.f_back
        return frame is not None and self.is_users_code(frame.f_code.co_filename)

    def _is_standard(self, file: str) -> bool:
        # A virtual environment has its libraries below a folder that counts as one of the standard library.
        return file.startswith(("<frozen", *self._stdlib)) and not file.startswith(self._libraries)

    def _listed(self, listing: Listing | None) -> None:
        folder = f"{listing.folder}{os.sep}" if listing else ""
        if listing and not self._uninteresting(folder) and not self._is_temporary(folder):
            self.listed[listing] = None

    def _uninteresting(self, path: str) -> bool:
        if path.startswith(self._libraries):
            return not path.endswith(_DATA_SUFFIXES)
        if path.startswith(self._ignored) or path.endswith((".pyc", ".pyo", ".so")):
            return True
        # A project may stand below a system folder, as /usr/src/app often does.
        return path.startswith(self._system) and not path.startswith(self._root)

    def is_users_code(self, file: str) -> bool:
        """Returns whether a source file is the user's: the generated package, modules beside the notebook, cells."""
        return not file.startswith(self._not_users)

    def files_read(self) -> tuple[str, ...]:
        """Returns the files it read and did not make itself, sorted; absent ones only within the project."""
        found = [path for path in self.read if path not in self.written]
        return tuple(sorted(path for path in found if Path(path).exists() or path.startswith(self._root)))

    def files_imported(self) -> tuple[str, ...]:
        """Returns the source files that were opened in order to import them and for nothing else, sorted."""
        return tuple(sorted(self.imported.keys() - self.read.keys() - self.written.keys()))

    def files_written(self) -> tuple[str, ...]:
        """Returns the files it made that are still there, sorted, temporary ones left out."""
        return tuple(sorted(p for p in self.written if not self._is_temporary(p) and Path(p).is_file()))

    def files_altered(self) -> tuple[str, ...]:
        """Returns what it changed otherwise than by writing it anew, sorted: running twice may not leave the same.

        These are files that it read before, appended to, opened as a database, removed or renamed, new folders; of the
        temporary ones those whose names the code chose, which another process may choose as well.
        """
        chosen = {p for p in self.written if self._is_temporary(p)}
        found = {p for p in {*self.altered, *chosen} if not (self._is_temporary(p) and self._is_own(p))}
        return tuple(sorted(found))

    def _is_own(self, path: str) -> bool:
        """Returns whether a temporary file has a name that nobody else has."""
        return any(path == made or path.startswith(made + os.sep) for made in self.temporary)

    def files_changed(self) -> frozenset[str]:
        """Returns the files it read that somebody else has changed since: what it saw is not what is there now."""
        seen = {**self.imported, **{path: self.read[path] for path in self.files_read()}}
        return frozenset(path for path, stamp in seen.items() if stamp not in {None, _stamp(path)})

    def _is_temporary(self, path: str) -> bool:
        return path.startswith(tempfile.gettempdir() + os.sep) and not path.startswith(self._root)

    def unkeyable(self) -> str:
        """Returns why the step's results cannot be reused, or ""."""
        if self.hosts:
            return f"it reads from the network ({', '.join(sorted(self.hosts)[:3])})"
        if self.commands:
            return f"it runs another program (`{' '.join(min(self.commands).split()):.60}`)"
        special = [path for path in self.read if _is_special(path)]
        return f"it reads from {special[0]}, which is no ordinary file" if special else ""

    def modules(self, namespaces: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
        """Returns the top-level names of the modules that the step loaded or refers to, sorted.

        Args:
            namespaces: The globals of the step's own modules.
        """
        loaded = {name.partition(".")[0] for name in sys.modules if name not in self._modules}
        for namespace in namespaces:
            for value in list(namespace.values()):
                name = getattr(value, "__name__" if isinstance(value, type(sys)) else "__module__", None)
                if isinstance(name, str):
                    loaded.add(name.partition(".")[0])
        return tuple(sorted(loaded - set(sys.stdlib_module_names) - {"__main__", "nbmlops", self._package}))


def _keeps_content(mode: Any, flags: Any) -> bool:
    """Returns whether what a file holds, or that it is not there, counts when it is opened for writing."""
    if isinstance(mode, str):
        return "w" not in mode
    return not flags & os.O_TRUNC


def _command(asked: Any) -> str:
    """Returns what was asked of the system to run, as text."""
    parts = [asked] if isinstance(asked, str | bytes | os.PathLike) else asked
    return " ".join(os.fsdecode(part) for part in parts)


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - runs at each opening
    except OSError:
        return None
    return found.st_size, found.st_ctime_ns


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 - runs at each look
    except OSError:
        return False


def _is_special(path: str) -> bool:
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


@cache
def _python_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    # nbmlops may be installed from a working tree, where every edit of it would age all results.
    folders = {paths["stdlib"], paths["platstdlib"], str(Path(__file__).resolve().parents[2])}
    if sys.prefix != sys.base_prefix:
        folders.add(sys.prefix)  # a virtual environment holds nothing of the user's
    return tuple(sorted(f"{folder}{os.sep}" for folder in folders))


def _tool_folders() -> tuple[str, ...]:
    home = Path.home()
    return tuple(f"{home / folder}{os.sep}" for folder in _TOOL_FOLDERS)


def module_files(names: Iterable[str], ignored: Iterable[Path]) -> tuple[str, ...]:
    """Returns the source files of local modules, sorted: of those that are loaded and not installed.

    Args:
        names: Top-level module names.
        ignored: Folders whose modules are none of the user's.
    """
    installed = (*map(Path, site.getsitepackages()), Path(site.getusersitepackages()), *ignored, _OURS)
    skipped = (*(f"{path}{os.sep}" for path in installed), *_python_folders())
    wanted = {name for name in names if not _is_below(sys.modules.get(name), skipped)}  # a library has a thousand
    found = set()
    for name in list(sys.modules):
        if name.partition(".")[0] in wanted:
            file = getattr(sys.modules.get(name), "__file__", None)
            if isinstance(file, str) and not file.startswith(skipped):
                found.add(file)
    return tuple(sorted(found))


def _is_below(package: ModuleType | None, folders: tuple[str, ...]) -> bool:
    """Returns whether a package, and all modules that can be found in it, are below the folders."""
    file, places = getattr(package, "__file__", None), getattr(package, "__path__", ())
    return isinstance(file, str) and all(f"{place}{os.sep}".startswith(folders) for place in (file, *places))
