import json

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbmlops.core.errors import UsageError
from nbmlops.notebook.tag_edit import write_tags

JUPYTER = """\
{
 "cells": [
  {
   "cell_type": "code",
   "execution_count": null,
   "id": "a",
   "metadata": {},
   "outputs": [],
   "source": [
    "x = 1\\n"
   ]
  },
  {
   "cell_type": "code",
   "execution_count": 3,
   "id": "b",
   "metadata": {
    "collapsed": true,
    "tags": [
     "wide"
    ],
    "vscode": {
     "languageId": "python"
    }
   },
   "outputs": [],
   "source": []
  },
  {
   "cell_type": "code",
   "execution_count": 3,
   "id": "c",
   "metadata": {
    "scrolled": true,
    "zoom": 1
   },
   "outputs": [],
   "source": "é = \\"}\\""
  }
 ],
 "metadata": {},
 "nbformat": 4,
 "nbformat_minor": 5
}
"""


def written(text, tags):
    return write_tags(text.encode(), tags, "nb.ipynb").decode()


def test_tags_are_written_as_jupyter_writes_them():
    document = json.loads(JUPYTER)
    for number, tags in {1: ["step:load"], 2: ["wide", "step:prepare"], 3: ["step:é"]}.items():
        document["cells"][number - 1]["metadata"]["tags"] = tags
    expected = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    assert written(JUPYTER, {1: ["step:load"], 2: ["wide", "step:prepare"], 3: ["step:é"]}) == expected


def test_what_is_not_tagged_is_not_touched():
    assert written(JUPYTER, {}) == JUPYTER
    odd = JUPYTER.replace('"execution_count": 3', '"execution_count":   3').replace("\n", "\r\n") + "\n\n"
    changed = written(odd, {1: ["step:load"]})
    assert changed.replace(
        '{\r\n    "tags": [\r\n     "step:load"\r\n    ]\r\n   }', "{}"
    ) == odd  # fmt: skip


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ('"metadata":{}', '"metadata":{"tags":["a","b"]}'),
        ('"metadata": {}', '"metadata": {"tags": ["a", "b"]}'),
        ('"metadata": { }', '"metadata": {"tags": ["a", "b"]}'),
        ('"metadata": null', '"metadata": {"tags": ["a", "b"]}'),
        ('"metadata": {"tags": []}', '"metadata": {"tags": ["a", "b"]}'),
        ('"metadata": {"tags": ["x"], "z": 1}', '"metadata": {"tags": ["a", "b"], "z": 1}'),
        ('"metadata": {"zoom": {"tags": 1}}', '"metadata": {"tags": ["a", "b"], "zoom": {"tags": 1}}'),
        ('"metadata": {"k": 1, "zoom": 1}', '"metadata": {"k": 1, "tags": ["a", "b"], "zoom": 1}'),
        ('"metadata": {"zoom": 1, "k": "]}\\""}', '"metadata": {"zoom": 1, "k": "]}\\"", "tags": ["a", "b"]}'),
        ('"metadata": {"tags": 3}', '"metadata": {"tags": ["a", "b"]}'),
        ('"metadata": 1, "metadata": {}', '"metadata": 1, "metadata": {"tags": ["a", "b"]}'),
        ('"id": "q"', '"id": "q", "metadata": {"tags": ["a", "b"]}'),
    ],
)  # fmt: skip
def test_files_without_lines_stay_without(metadata, expected):
    text = f'{{"cells": [{{"cell_type": "code", {metadata}, "source": ""}}], "nbformat": 4}}'
    assert written(text, {1: ["a", "b"]}) == text.replace(metadata, expected)


def test_escapes_and_the_byte_order_mark_are_kept():
    text = '\ufeff{"cells": [{"metadata": {}, "source": "\\u00e9"}]}'
    assert written(text, {1: ["é"]}) == text.replace("{}", '{"tags": ["é"]}')
    text = text.removeprefix("\ufeff")
    assert written(text, {1: ["é"]}) == text.replace("{}", '{"tags": ["\\u00e9"]}')


def test_tags_can_be_taken_away():
    assert written('{"cells": [{"metadata": {"tags": ["a"]}}]}', {1: []}) == '{"cells": [{"metadata": {"tags": []}}]}'


def test_an_old_format_is_refused():
    with pytest.raises(UsageError) as raised:
        write_tags(b'{"worksheets": [{"cells": []}], "nbformat": 3}', {1: ["a"]}, "old.ipynb")
    assert (raised.value.message, raised.value.hint) == (
        "old.ipynb has an old notebook format, whose cells have no tags",
        "save it in Jupyter once",
    )


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
cells = st.fixed_dictionaries(
    {"cell_type": st.just("code"), "source": st.text(max_size=20), "outputs": st.lists(values, max_size=2)},
    optional={"metadata": st.dictionaries(st.sampled_from(["tags", "a", "z", "é"]), values, max_size=3)},
)


@given(
    st.lists(cells, min_size=1, max_size=4),
    st.sampled_from([None, 0, 1, 4, "\t"]),
    st.booleans(),
    st.booleans(),
    st.dictionaries(st.integers(0, 3), st.lists(st.text(max_size=6), max_size=3)),
)
def test_any_file_differs_by_the_tags_alone(cells, indent, sort, ascii_only, tags):
    document = {"nbformat": 4, "cells": cells, "metadata": {}}
    text = json.dumps(document, indent=indent, sort_keys=sort, ensure_ascii=ascii_only)
    tags = {number % len(cells) + 1: given for number, given in tags.items()}
    found = write_tags(text.encode("utf-8", "surrogatepass"), tags, "nb.ipynb")
    for number, given_tags in tags.items():
        cells[number - 1].setdefault("metadata", {})["tags"] = given_tags
    assert json.loads(found) == document
    assert write_tags(found, tags, "nb.ipynb") == found


def test_a_written_notebook_is_valid():
    notebook = nbformat.reads(written(JUPYTER, {1: ["step:load"]}), as_version=4)
    nbformat.validate(notebook)
    assert notebook.cells[0].metadata == {"tags": ["step:load"]}
