"""The papermill engine `nbmlops`: `papermill --engine nbmlops in.ipynb out.ipynb`.

Cells run as under papermill's own engine. Three things differ: the output file is whole at every moment, whoever is
killed, and writing it takes at most a tenth of the time, where papermill writes the whole notebook twice for each cell;
kernels of Python are ready, and gone, as soon as they say so. A process that executes several notebooks starts the
kernels of later ones warm (`kernels.warm_papermill`).

Papermill loads this module, by its entry point, each time that it is imported: it must not load anything else.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from nbclient.util import run_sync
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager
from papermill.iorw import papermill_io
from papermill.log import logger
from papermill.utils import merge_kwargs, remove_args

from nbmlops.core.documents import write_atomically
from nbmlops.core.errors import EnvironmentFault

_SHARE = 10  # saving pauses for so many times as long as it took


class NbmlopsEngine(NBClientEngine):  # type: ignore[misc]  # papermill has no types
    """Executes notebooks for papermill."""

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, output_path: str | None = None, **options: Any) -> Any:
        """Returns the executed notebook.

        Args:
            nb: The notebook; it is changed.
            kernel_name: Whose kernel runs it.
            output_path: Where it is saved meanwhile; None for nowhere.
            **options: Those of papermill's own engine.
        """
        _write_whole_files(output_path)
        shown = {name: options.pop(name) for name in ("progress_bar", "autosave_cell_every") if name in options}
        log_output = options.get("log_output", False)
        manager = SavingManager(nb, output_path=output_path, log_output=log_output, **shown)
        manager.notebook_start()
        try:
            cls.execute_managed_notebook(manager, kernel_name, **options)
        finally:
            manager.cleanup_pbar()
            manager.notebook_complete()
        return manager.nb

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: SavingManager,
        kernel_name: str,
        start_timeout: float = 60,
        execution_timeout: float | None = None,
        **options: Any,
    ) -> Any:
        """Returns the executed notebook; the arguments are those of papermill's own engine."""
        kept = remove_args(["input_path", "timeout", "startup_timeout"], **options)
        given = merge_kwargs(
            kept,
            timeout=execution_timeout or options.get("timeout"),
            startup_timeout=start_timeout,
            kernel_name=kernel_name,
            log=logger,
        )
        if "kernel_manager_class" not in given:
            from nbmlops.runtime.kernels.warm_papermill import warm_manager_class  # noqa: PLC0415 - see above

            given["kernel_manager_class"] = warm_manager_class(_code(nb_man.nb))
        return _Client(nb_man, **given).execute()


def _code(nb: Any) -> list[str]:
    return [cell.source for cell in nb.cells if cell.cell_type == "code"]


class SavingManager(NotebookExecutionManager):  # type: ignore[misc]  # papermill has no types
    """Saves the notebook as papermill does, but pauses after each save for ten times as long as that took."""

    _resume = 0.0  # when saving goes on
    _owed = False

    def save(self, **options: Any) -> None:
        """Saves the notebook, now or a moment later."""
        is_last = self.end_time is not None
        if time.monotonic() < self._resume and not is_last:
            self._owed = True
            return
        self._owed = False
        begun = time.monotonic()
        super().save(**options)
        ended = time.monotonic()
        self._resume = ended + _SHARE * (ended - begun)

    def save_owed(self) -> None:
        """Saves the notebook if that was put off."""
        if self._owed:
            self._resume = 0.0
            self.save()

    @property
    def pause(self) -> float:
        """Seconds until saving goes on."""
        return max(0.0, self._resume - time.monotonic())


class _Client(PapermillNotebookClient):  # type: ignore[misc]  # papermill has no types
    async def async_execute_cell(self, *arguments: Any, **options: Any) -> Any:
        # A cell may take hours: what the cells before it have shown is saved while it runs.
        owed = asyncio.get_running_loop().call_later(self.nb_man.pause, self.nb_man.save_owed)
        try:
            return await super().async_execute_cell(*arguments, **options)
        finally:
            owed.cancel()

    execute_cell = run_sync(async_execute_cell)


class WholeFiles:
    """Papermill's access to local files, but that a reader of a file sees the old content or the new, never a part.

    Args:
        usual: Papermill's own.
    """

    def __init__(self, usual: Any) -> None:
        self._usual = usual

    def __getattr__(self, name: str) -> Any:
        return getattr(self._usual, name)

    def write(self, text: str, path: str) -> None:
        """Writes the file.

        Raises:
            OSError: it cannot be written; an old file is untouched.
            EnvironmentFault: likewise, for a reason that the system does not give.
        """
        folder = self._usual.cwd(None)
        self._usual.cwd(folder)
        target = Path(folder or "", path).resolve()
        is_file = target.is_file()
        if not target.parent.is_dir() or (target.exists() and not is_file):
            self._usual.write(text, path)  # papermill's own error, or a device
            return
        try:
            mode = target.stat().st_mode & 0o7777 if is_file else None
            write_atomically(target, text.encode(), mode=mode)
        except EnvironmentFault as fault:
            if isinstance(fault.__cause__, PermissionError) and is_file:
                self._usual.write(text, path)  # a file of one's own in a folder of somebody else's
            elif isinstance(fault.__cause__, OSError):
                raise fault.__cause__ from None
            else:
                raise


def _write_whole_files(output_path: str | None) -> None:
    if not output_path:
        return
    usual = papermill_io.get_handler(output_path)
    if usual is papermill_io.get_handler("local"):
        # Papermill takes the oldest handler for what is "local", but the newest one whose name a path begins with.
        papermill_io.register(output_path, WholeFiles(usual))
