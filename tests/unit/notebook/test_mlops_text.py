import pytest

from nbmlops.notebook.mlops_text import LineParts, split_line


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", LineParts("", "", ())),
        ("gate", LineParts("gate", "", ())),
        ("data x --name a --context b c", LineParts("data", "x", (("name", "a"), ("context", "b c")))),
        ("data x --name=a", LineParts("data", "x", (("name", "a"),))),
        ("data f('--name a') --name b", LineParts("data", "f('--name a')", (("name", "b"),))),
        ("data f(\n --name) --name b", LineParts("data", "f(\n --name)", (("name", "b"),))),
        ('data """it\'s --x""" --name b', LineParts("data", '"""it\'s --x"""', (("name", "b"),))),
        (r"data 'a\' --x' --name b", LineParts("data", r"'a\' --x'", (("name", "b"),))),
        ("metric a - --b", LineParts("metric", "a -", (("b", ""),))),
        ("metric a x--y", LineParts("metric", "a x--y", ())),
        ("metric a '# no comment' # a comment --step 1", LineParts("metric", "a '# no comment'", ())),
        ("metric a total -o", LineParts("metric", "a total -o", ())),
        ("compile -o out", LineParts("compile", "", (("o", "out"),))),
        ("track --stop", LineParts("track", "", (("stop", ""),))),
    ],
)
def test_options_begin_outside_quotes_and_brackets(text, parts):
    assert split_line(text) == parts
