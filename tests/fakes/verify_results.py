"""Results of verifying that the renderers' tests share."""

from nbmlops.app.verify.report import (
    ComparedOutputs,
    ComparedRecord,
    ComparedStep,
    ComparedValue,
    Status,
    Verification,
)
from nbmlops.core.diagnostics import Diagnostic, Severity, SourceSpan
from nbmlops.pipeline.ir import Pipeline
from nbmlops.runtime.witness.witness import CellError

PIPELINE = Pipeline("churn", "", "", "", "", {}, "", (), ())
STEPS = (
    ComparedStep(
        "load",
        (1, 2),
        values=(ComparedValue("df", Status.EQUAL), ComparedValue("now", Status.NONDETERMINISTIC, "1 and 2")),
        outputs=(ComparedOutputs(2, Status.EQUAL, removed=("times",)),),
    ),
    ComparedStep(
        "train",
        (3,),
        after=("load",),
        values=(
            ComparedValue("model", Status.DIFFERENT, ".coef_: <b>1</b> & 2"),
            ComparedValue("handle", Status.UNCOMPARED, "it is open"),
        ),
        outputs=(ComparedOutputs(3, Status.DIFFERENT, "printed: 'a' in the notebook, 'b' in the pipeline"),),
        logged=(ComparedRecord("metric", "auc", Status.EQUAL),),
        error="ValueError: no",
    ),
    ComparedStep("report", (4,), after=("load", "train"), reached=False),
)
DIFFERENT = Verification(
    "churn.ipynb",
    Status.DIFFERENT,
    PIPELINE,
    STEPS,
    joined=((("load", "train"), ("handle",)),),
    runs=2,
    seconds={"notebook": 1.5, "pipeline": 2.25},
)
EQUAL = Verification("churn.ipynb", Status.EQUAL, PIPELINE, (ComparedStep("load", (1,)),), runs=1)
REFUSED = Verification(
    "churn.ipynb",
    Status.REFUSED,
    diagnostics=(Diagnostic("NB203", Severity.ERROR, "'df' is not known", SourceSpan("churn.ipynb", 3), "bind it"),),
)
FAILED = Verification(
    "churn.ipynb",
    Status.FAILED,
    PIPELINE,
    error=CellError(2, "ValueError", "no", "Traceback …\nValueError: no"),
    runs=1,
)
