"""Says why a step failed: from how the execution of its notebook ended, and from what the step itself told."""

from __future__ import annotations

from msgspec.structs import replace

from nbmlops.pipeline.run_record import StepError
from nbmlops.runtime.schedule.execute import Completed, Ending, KernelDied, NeverReady, Raised, TimedOut
from nbmlops.runtime.steps.context import StepReport
from nbmlops.runtime.steps.errors import Places, kernel_death, step_error


def error_of(ending: Ending, report: StepReport, places: Places) -> StepError | None:
    """Returns why a step failed, None if it did not.

    Args:
        ending: How the execution of its notebook ended.
        report: What the step told.
        places: What its tracebacks are told in terms of.
    """
    match ending:
        case KernelDied(code, output, out_of_memory):
            return kernel_death(code, output, out_of_memory=out_of_memory)
        case NeverReady(seconds, output):
            what = f"its process was not ready after {seconds:g} seconds"
            return StepError("DeadKernel", what, traceback=output, hint="look at what it wrote; is the machine busy?")
        case TimedOut(seconds):
            hint = "give it more time: timeout in [steps.NAME] of nbmlops.toml, or nbmlops run --timeout"
            return StepError("Timeout", f"the step ran longer than {seconds:g} seconds", hint=hint)
        case Raised(name, message, traceback):
            told = step_error(report.error, places) if report.error is not None else None
            return told or StepError(name, message, traceback=traceback)
        case Completed():
            if report.outcome is not None:
                return None
            ended = step_error(report.error, places) if report.error is not None else StepError("StepFailed", "")
            message = "the step ended before it handed over its results"
            return replace(ended, message=message, hint="remove sys.exit() and exit() from the cells of the step")
