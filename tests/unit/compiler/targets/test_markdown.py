from __future__ import annotations

import pytest

from nbmlops.compiler.targets.markdown import code, inline


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain_name and __init__", r"plain_name and \_\_init\_\_"),
        ("a | b\n c", r"a \| b c"),
        ("# not a heading", r"\# not a heading"),
        ("1. not a list", r"1\. not a list"),
        ("<b> & `c` *d* [e](f) $x$", r"&lt;b&gt; &amp; \`c\` \*d\* \[e\](f) \$x\$"),
    ],
)
def test_text_is_shown_as_it_is(text: str, shown: str) -> None:
    assert inline(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [("x", "`x`"), ("a`b", "``a`b``"), ("`a``", "``` `a`` ```"), ("", ""), ("a|b", r"`a\|b`"), ("a\nb", "`a b`")],
)
def test_code_has_a_fence_that_holds(text: str, shown: str) -> None:
    assert code(text) == shown
