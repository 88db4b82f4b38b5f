from __future__ import annotations

from nbmlops.cli.blocks import Cell, Line, Table, Tone, Tree, cells, plain, printable

TABLE = Table("metrics", ("name", "value"), (cells("auc", "0.73"), cells("f1\n", "0.5")), frozenset({"value"}))
TREE = Tree(
    ".",
    (
        (".github/workflows/churn.yml", Cell("new", Tone.GOOD)),
        ("pipelines/churn/README.md", Cell("")),
        ("pipelines/churn/churn/train.py", Cell("changed")),
        ("pipelines/churn/pipeline.yaml", Cell("")),
    ),
)


def test_plain_text_has_aligned_tables_and_trees_with_folders_last() -> None:
    assert plain((Line("one\ntwo"), Line(), TABLE, TREE, Line("end", Tone.GOOD))) == (
        "one\n"
        "two\n"
        "\n"
        "metrics\n"
        "  name  value\n"
        "  auc    0.73\n"
        "  f1�     0.5\n"
        "\n"
        ".\n"
        "├── .github/\n"
        "│   └── workflows/\n"
        "│       └── churn.yml  (new)\n"
        "└── pipelines/\n"
        "    └── churn/\n"
        "        ├── README.md\n"
        "        ├── pipeline.yaml\n"
        "        └── churn/\n"
        "            └── train.py  (changed)\n"
        "\n"
        "end\n"
    )


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert printable("a\x1b[31mb\tc\nd\u202e\x07") == "a\ufffd[31mb\tc\nd\ufffd\ufffd"
    assert printable("a\nb", one_line=True) == "a\ufffdb"
