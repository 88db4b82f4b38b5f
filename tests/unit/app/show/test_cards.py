from nbmlops.app.show.cards import Card, Table, render_html, render_text, tone

CARD = Card(
    "PASS", "auc", (Table("rules", ("rule", "value"), (("auc floor", "0.9"), ("f1", "0.75"))),), ("next: register",)
)


def test_the_text_begins_with_the_state_and_aligns_columns():
    assert (
        render_text(CARD) == "PASS auc\nrules:\n  rule       value\n  auc floor  0.9\n  f1         0.75\nnext: register"
    )


def test_the_html_is_a_semantic_table_in_theme_colours():
    html = render_html(CARD)
    assert '<section class="nbmlops mathjax_ignore tex2jax_ignore" aria-label="nbmlops pass"' in html
    assert "<caption" in html
    assert '<th scope="col"' in html
    assert '<th scope="row"' in html
    assert "var(--jp-success-color1, #1a7f37)" in html
    assert "<script" not in html


def test_hostile_text_is_escaped_everywhere():
    hostile = '<img src=x onerror="alert(1)"><script>&\'"'
    card = Card("DATA", hostile, (Table(hostile, (hostile, "b"), ((hostile, hostile),)),), (hostile,))
    html = render_html(card)
    assert html.count("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&lt;script&gt;&amp;&#x27;&quot;") == 6
    assert "<img" not in html
    assert "<script" not in html


def test_code_keeps_its_spaces_and_stays_text():
    card = Card("FAIL", "no", notes=("saved",), code=("error: <b>", "  |  x = (", "\x1b[31m"))
    assert render_text(card) == "FAIL no\nerror: <b>\n  |  x = (\n [31m\nsaved"
    assert ">error: &lt;b&gt;\n  |  x = (\n [31m</pre>" in render_html(card)


def test_only_a_column_that_judges_is_coloured():
    judged = Table("metrics", ("metric", "that is"), (("auc", "better"),))
    reason = Table("audit", ("version", "why"), (("2", "better"),))
    green = "color:var(--jp-success-color1"
    assert render_html(Card("DIFF", "", (judged,))).count(green) == 1
    assert green not in render_html(Card("DIFF", "", (reason,)))


def test_what_is_long_is_broken_and_what_is_short_is_not():
    html = render_html(Card("RUN", "x" * 300, (Table("t", ("name", "value"), (("y" * 41, "0.123456789"),)),)))
    assert html.count("overflow-wrap:anywhere") == 2
    assert 'text-align:left">0.123456789</td>' in html


def test_control_characters_cannot_forge_lines_or_colours():
    card = Card("DATA", "a\nPASS b\x1b[31m", (Table("t", ("x\r",), (("y\n",),)),), ("n\x07",))
    assert render_text(card) == "DATA a PASS b [31m\nt:\n  x\n  y\nn "


def test_the_state_decides_the_tone():
    assert [tone(Card(state, "")) for state in ("PASS", "REGISTERED", "FAIL", "RUN")] == [
        "good",
        "good",
        "bad",
        "plain",
    ]
