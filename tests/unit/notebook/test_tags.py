import pytest

from nbmlops.notebook.model import RoleKind
from nbmlops.notebook.source import translate
from nbmlops.notebook.tags import read_marks


def marks(source, *tags):
    return read_marks(tags, source, translate(source))


@pytest.mark.parametrize(
    ("tags", "kind", "step", "after"),
    [
        ((), None, "", ()),
        (("parameters",), RoleKind.PARAMETERS, "", ()),
        (("pipeline-parameters",), RoleKind.PARAMETERS, "", ()),
        (("parameters", "pipeline-parameters"), RoleKind.PARAMETERS, "", ()),
        (("injected-parameters",), RoleKind.SKIP, "", ()),
        (("imports",), RoleKind.SHARED, "", ()),
        (("imports", "functions"), RoleKind.SHARED, "", ()),
        (("skip",), RoleKind.SKIP, "", ()),
        (("skip-execution",), RoleKind.SKIP, "", ()),
        (("step:train", "skip"), RoleKind.SKIP, "", ()),
        (("pipeline-metrics",), RoleKind.METRICS, "", ()),
        (("step:train",), RoleKind.STEP, "train", ()),
        (("block:train", "step:train"), RoleKind.STEP, "train", ()),
        (("step: train ",), RoleKind.STEP, "train", ()),
        (("step:train", "prev:a,b", "prev:c"), RoleKind.STEP, "train", ("a", "b", "c")),
        (("prev:a",), None, "", ("a",)),
        (("hide-input", "remove-cell", "important", "my:tag", "stop:x", "exports", "step-by-step"), None, "", ()),
        (("image:x", "limit:nvidia.com/gpu:1", "cache:enabled", "secret:a:b:C", "annotation:a:b", "label:a:b",
          "report:disabled"), None, "", ()),
    ],
)  # fmt: skip
def test_tags_give_the_role(tags, kind, step, after):
    found = marks("x = 1", *tags)
    assert (found.kind, found.step, found.after, found.faults) == (kind, step, after, ())


@pytest.mark.parametrize(
    ("source", "kind", "step", "after", "tags"),
    [
        ("# nbmlops: step=train prev=a,b\nx", RoleKind.STEP, "train", ("a", "b"), ("step:train", "prev:a,b")),
        ("\n#nbmlops:step = train  ", RoleKind.STEP, "train", (), ("step:train",)),
        ("# NBMLOPS: prev = a , b step = train\nx", RoleKind.STEP, "train", ("a", "b"), ("prev:a,b", "step:train")),
        ("# nbmlops: parameters\na = 1", RoleKind.PARAMETERS, "", (), ("parameters",)),
        ("# nbmlops: imports\nx", RoleKind.SHARED, "", (), ("imports",)),
        ("# nbmlops: functions\nx", RoleKind.SHARED, "", (), ("functions",)),
        ("# nbmlops: skip\nx", RoleKind.SKIP, "", (), ("skip",)),
        ("%%mlops step train\nx", RoleKind.STEP, "train", (), ("step:train",)),
        ("%%time\n# nbmlops: step=train\nx", RoleKind.STEP, "train", (), ("step:train",)),
        ("# note\nx", None, "", (), ()),
    ],
)
def test_comments_and_the_cell_magic_say_the_same(source, kind, step, after, tags):
    found = marks(source)
    assert (found.kind, found.step, found.after, found.tags, found.faults) == (kind, step, after, tags, ())


def test_all_spellings_may_agree():
    found = marks("# nbmlops: step=train prev=b,a\nx", "step:train", "prev:a", "prev:b")
    assert (found.step, found.after, found.faults) == ("train", ("a", "b"), ())


@pytest.mark.parametrize(
    ("tag", "meant"),
    [
        ("stpe:train", "step:train"),
        ("setp:train", "step:train"),
        ("steps:train", "step:train"),
        ("Step:train", "step:train"),
        ("STEP:Train", "step:Train"),
        ("step=train", "step:train"),
        ("step train", "step:train"),
        ("blok:train", "block:train"),
        ("pre:load", "prev:load"),
        ("Parameters", "parameters"),
        ("parameter", "parameters"),
        ("pipeline_parameters", "pipeline-parameters"),
        ("function", "functions"),
        ("improts", "imports"),
        ("SKIP", "skip"),
        ("skipp", "skip"),
        ("pipeline-metric", "pipeline-metrics"),
    ],
)
def test_a_slip_is_reported_with_the_correction(tag, meant):
    (fault,) = marks("x = 1", tag).faults
    assert (fault.code, fault.hint) == ("NB130", f"write `{meant}`")


@pytest.mark.parametrize(
    ("source", "tags", "ignored"),
    [
        ("# nbmlops: ignore=NB207\nx", (), ("NB207",)),
        ("# nbmlops: step=train ignore = NB207 , nb126\nx", (), ("NB207", "NB126")),
        ("x", ("nbmlops-ignore:NB207", "nbmlops-ignore: NB126,NB207"), ("NB207", "NB126")),
        ("# nbmlops: ignore=NB207\nx", ("nbmlops-ignore:NB116",), ("NB116", "NB207")),
        ("x", ("nbmlops-ignore:",), ()),
        ("x", (), ()),
    ],
)
def test_what_a_cell_ignores(source, tags, ignored):
    found = marks(source, *tags)
    assert (found.ignored, found.faults) == (ignored, ())
    assert found.kind is (RoleKind.STEP if "step" in source else None)


@pytest.mark.parametrize(
    ("word", "meant"), [("ignore=", ""), ("ignor=NB207", "ignore=NB207"), ("ignore:NB207", "ignore=NB207")]
)
def test_slips_in_what_is_ignored(word, meant):
    (fault,) = marks(f"# nbmlops: {word}\nx").faults
    assert fault.code == "NB131"
    assert fault.hint.startswith(f"write `# nbmlops: {meant}")
