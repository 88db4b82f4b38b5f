import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from nbmlops.core.errors import UsageError
from nbmlops.data.versions.dvc_pointer import Pointer, pointer_text, read_pointer, updated_text, yaml_text

MD5 = "b026324c6904b2a9cb4b88d6d61c81d1"
NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\ufeff"), min_size=1)
POINTERS = st.builds(
    Pointer,
    path=NAMES,
    md5=st.sampled_from([MD5, f"{MD5}.dir", "1" * 32, "1" * 30 + "e1"]),
    size=st.integers(0, 10**15),
    files=st.integers(-1, 10**6),
    executable=st.booleans(),
)


@given(POINTERS)
def test_a_pointer_comes_back_as_it_was_written(pointer: Pointer) -> None:
    assert read_pointer(pointer_text(pointer), "x.dvc") == pointer


@given(NAMES)
def test_a_name_is_a_text_to_yaml(name: str) -> None:
    assert yaml.safe_load(f"- 'x'\n- {yaml_text(name)}\n")[1:] == [name] or yaml_text(name)[0] not in "'\""
    assert yaml.load(yaml_text(name), Loader=yaml.BaseLoader) == name


@given(POINTERS, POINTERS)
def test_updating_changes_the_values_only(old: Pointer, new: Pointer) -> None:
    new = replace(new, path=old.path)
    changed = updated_text("# kept\n" + pointer_text(old) + "meta: {a: 1}\n", new)
    assert changed.startswith("# kept\n")
    assert changed.endswith("\nmeta: {a: 1}\n")
    assert read_pointer(changed, "x.dvc") == new


def test_a_pointer_of_an_older_dvc_is_read() -> None:
    assert read_pointer(f"md5: {'0' * 32}\nouts:\n- md5: {MD5}\n  path: a\n  cache: true\n", "a.dvc") == Pointer(
        "a", MD5
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.dvc does not point to one file or folder: `outs` must have one entry with a path"),
        ("outs: []", "a.dvc does not point to one file or folder: `outs` must have one entry with a path"),
        ("outs:\n- path: a", "a.dvc: outs[0].md5 is 'missing', no MD5 hash"),
        ("outs:\n- {path: a, md5: xyz}", "a.dvc: outs[0].md5 is 'xyz', no MD5 hash"),
        ("outs: {", "a.dvc is not YAML: while parsing a flow node"),
        (b"\xff\xfe\xff", "a.dvc is not YAML: unacceptable character #x00ff: truncated data"),
        ("x" * (1 << 21), "a.dvc is larger than 1048576 bytes, so it is no pointer"),
    ],
)
def test_what_is_no_pointer_says_so(text: str | bytes, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_pointer(text, "a.dvc")
    assert (caught.value.message, caught.value.hint) == (message, "make it again: nbmlops data add a")
