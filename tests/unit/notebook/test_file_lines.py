import json

from nbmlops.notebook.file_lines import file_lines


def test_lines_of_a_file_as_jupyter_writes_it():
    cells = [
        {"cell_type": "code", "source": ["x = 1\n", "y = 2"]},
        {"cell_type": "code", "source": []},
        {"cell_type": "markdown", "source": "one\ntwo"},
        {"cell_type": "raw"},
    ]
    text = json.dumps({"cells": cells, "nbformat": 4}, indent=1)
    lines = text.split("\n")
    found = file_lines(text.encode())
    assert [[lines[line - 1].strip() for line in cell] for cell in found] == [
        ['"x = 1\\n",', '"y = 2"'],
        [],
        ['"source": "one\\ntwo"'],
        [],
    ]


def test_a_file_on_one_line_and_one_of_an_old_format():
    assert file_lines(b'{"cells": [{"source": [\n"a\\nb\\n",\n"c\\nd"]}]}') == [[2, 2, 3, 3]]
    assert file_lines(b'\xef\xbb\xbf{"cells": [{"source": ["a\\n", "b"]}]}') == [[1, 1]]
    assert file_lines(b'{"worksheets": []}') == []
