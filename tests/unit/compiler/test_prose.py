from __future__ import annotations

import pytest

from nbmlops.compiler.prose import Block, blocks, comment, cut, sentences, unmarked, wrapped

BLOCKS = {
    "one\ntwo\n\nthree": (Block("one two"), Block("three")),
    "* a\n  goes on\n* b\n\n  c": (Block("a goes on", item=True), Block("b", item=True), Block("c")),
    "text\n1. a\n2) b": (Block("text"), Block("a", item=True), Block("b", item=True)),
    "text\n```\ncode\n```\nmore": (Block("text"),),
    "text\n\n| a | b |": (Block("text"),),
    "> quoted": (),
    "    code": (),
    "<div>": (),
    "![plot](x.png)": (),
    "text\n# heading": (Block("text"),),
    "a\n\nb\n\nc\n\nd\n\ne": (Block("a"), Block("b"), Block("c"), Block("d")),
    "A b. " * 200: (Block(("A b. " * 120).strip()),),
    "x" * 700: (Block("x" * 600 + "…"),),
    "short.\n\n" + "x" * 700: (Block("short."),),
}


@pytest.mark.parametrize("source", BLOCKS)
def test_paragraphs_and_lists_are_read_up_to_anything_else(source: str) -> None:
    assert blocks(source) == BLOCKS[source]


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("**bold** and *slanted* and ***both*** and _slanted_", "bold and slanted and both and slanted"),
        ("2 * 3 * 4, a_b_c, __init__", "2 * 3 * 4, a_b_c, __init__"),
        ("`a * b * c` and `**x**`", "`a * b * c` and `**x**`"),
        ("see [the *paper*](https://x.y/z_(a)) now", "see the paper now"),
        ("a <b>tag</b>, 1 < 2", "a tag, 1 < 2"),
    ],
)
def test_markup_is_taken_off_and_code_stays(markdown: str, text: str) -> None:
    assert unmarked(markdown) == text


def test_sentences_end_at_full_stops() -> None:
    assert sentences("By 0.5 or more. e.g. this! Is it? Yes") == ["By 0.5 or more. e.g. this!", "Is it?", "Yes"]


def test_text_is_wrapped_lists_hang() -> None:
    parts = [Block("one two three"), Block("four five six", item=True), Block("x", item=True), Block("of 40 % more")]
    assert wrapped(parts, 11) == ["one two", "three", "", "- four five", "  six", "- x", "", "of 40 %", "more"]


def test_comments_never_give_orders_to_tools() -> None:
    assert comment("Slices. A good average hides.", 20) == ["# Slices. A good", "# average hides."]
    for text in ("noqa", "type: ignore", "fmt: off", "words and words and\n ruff: noqa", "nbmlops: skip"):
        assert comment(text, 22) == []


def test_long_text_ends_behind_a_word() -> None:
    assert cut("one two three", 9) == "one two…"
    assert cut("one two", 7) == "one two"
