import ast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nbmlops.core.errors import UsageError
from nbmlops.notebook.mlops_lines import MlopsLine, build_parser, help_text, parse_line
from nbmlops.notebook.mlops_subcommands import SUBCOMMANDS
from nbmlops.notebook.model import MagicAction


@pytest.mark.parametrize(
    ("line", "python"),
    [
        ("data flights", 'nbmlops.data(flights, name="flights")'),
        ("data flights --name raw --context training", 'nbmlops.data(flights, name="raw", context="training")'),
        ("data df[df.a == ' --name x'] --name raw", "nbmlops.data(df[df.a == ' --name x'], name=\"raw\")"),
        ('data "data/x.csv" --name x', 'nbmlops.data("data/x.csv", name="x")'),
        ("data a, b --name pair", 'nbmlops.data((a, b), name="pair")'),
        ("data (row for row in rows) --name r", 'nbmlops.data((row for row in rows), name="r")'),
        ("data row for row in rows --name r", 'nbmlops.data((row for row in rows), name="r")'),
        ("check flights", 'nbmlops.check(flights, schema="flights")'),
        ("check clean(df) --schema=flights", 'nbmlops.check(clean(df), schema="flights")'),
        ("param depth", 'nbmlops.param("depth", depth)'),
        ("param n = len(columns)#all", 'nbmlops.param("n", len(columns))'),
        ("metric n (1, #first\n2)#both", 'nbmlops.metric("n", (1, #first\n2))'),
        ("param n = '#'", "nbmlops.param(\"n\", '#')"),
        ("param n = len(columns)", 'nbmlops.param("n", len(columns))'),
        ("param n=len(columns)", 'nbmlops.param("n", len(columns))'),
        ("metric auc", 'nbmlops.metric("auc", auc)'),
        ("metric auc  # on the held-out months", 'nbmlops.metric("auc", auc)'),
        ("metric auc = roc_auc_score(y, p)", 'nbmlops.metric("auc", roc_auc_score(y, p))'),
        ("metric auc roc_auc_score(y, p) --step epoch", 'nbmlops.metric("auc", roc_auc_score(y, p), step=epoch)'),
        ('metric "auc of EWR" scores["EWR"]', 'nbmlops.metric("auc of EWR", scores["EWR"])'),
        ("metric auc/EWR scores.EWR", 'nbmlops.metric("auc/EWR", scores.EWR)'),
        ("metric loss -total", 'nbmlops.metric("loss", -total)'),
        ("metric loss a - o", 'nbmlops.metric("loss", a - o)'),
        ("metric gain new if new > old else old", 'nbmlops.metric("gain", new if new > old else old)'),
        ("test test_late(model, X_test)", "nbmlops.api.test(test_late, model=model, X_test=X_test)"),
        ("test checks(model, X=X_test[:9])", "nbmlops.api.test(checks, model=model, X=X_test[:9])"),
        ("test checks.test_late()  # soon", "nbmlops.api.test(checks.test_late)"),
        ("gate", "nbmlops.gate()"),
        ("register model --data X_train", "nbmlops.register(model, data=X_train)"),
        ("register model --data X --name late", 'nbmlops.register(model, data=X, name="late")'),
    ],
)
def test_a_line_stands_for_a_call(line, python):
    ast.parse(python)
    assert parse_line(line).python == python


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "track --experiment 'late flights' --stop",
            MlopsLine("track", "", {"experiment": "late flights", "stop": True}, MagicAction.DROP),
        ),
        ("track", MlopsLine("track", "", {}, MagicAction.DROP)),
        (
            "compile -o out --check",
            MlopsLine("compile", "", {"out": "out", "check": True}, MagicAction.DROP),
        ),
        (
            "run flights -p depth=8 -p 'since=2026 01' --jobs 2 --no-register",
            MlopsLine(
                "run",
                "",
                {"pipeline": "flights", "parameter": ["depth=8", "since=2026 01"], "jobs": "2", "no_register": True},
                MagicAction.DROP,
            ),
        ),
        (
            "schema infer data/may.csv --name flights --update",
            MlopsLine(
                "schema infer", "", {"data": "data/may.csv", "name": "flights", "update": True}, MagicAction.DROP
            ),
        ),
        (
            "schema diff flights@main 'my schemas/flights.yaml'",
            MlopsLine(
                "schema diff", "", {"before": "flights@main", "after": "my schemas/flights.yaml"}, MagicAction.DROP
            ),
        ),
        ("step train", MlopsLine("step", "", {"name": "train"}, MagicAction.UNWRAP)),
        ("status", MlopsLine("status", "", {}, MagicAction.DROP)),
        ("gate", MlopsLine("gate", "nbmlops.gate()", {}, MagicAction.GATE)),
    ],
)
def test_options_are_given_by_name_and_left_out_ones_are_left_out(line, expected):
    assert parse_line(line) == expected


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("trak", "%mlops has no subcommand 'trak'", "did you mean `%mlops track`?"),
        (
            "schema infr flights",
            "%mlops schema lacks its second word",
            "write one of: schema infer, schema check, schema diff",
        ),
        ("data x --nmae y", "%mlops data has no option '--nmae'", "did you mean `--name`?"),
        ("data", "%mlops data lacks EXPR", "the form is: %mlops data [--name NAME] [--context CONTEXT] EXPR"),
        (
            "data x --name",
            "%mlops data: nothing follows --name",
            "the form is: %mlops data [--name NAME] [--context CONTEXT] EXPR",
        ),
        ("data df.head()", "`df.head()` has no name of its own", "give one: `%mlops data df.head() --name NAME`"),
        (
            "data x --name ../x",
            "'../x' is not a name",
            "use letters, digits, `_`, `-` and `.`, beginning with a letter",
        ),
        ("data x --name two words", "'two words' is more than one word", 'put it in quotes: "two words"'),
        ("data x --name 'open", '"\'open" has a quote that is not closed', "close the quote"),
        (
            "metric auc = roc auc",
            "'roc auc' is not a Python expression: invalid syntax. Perhaps you forgot a comma?",
            "write one expression, as in a cell",
        ),
        ("metric a/b", "'a/b' is not a variable, so its value is missing", 'write it: `%mlops metric "a/b" EXPR`'),
        (
            "metric ../auc 1",
            "'../auc' cannot be the name of a metric or parameter",
            "use letters, digits, `_`, `-`, `.`, `:`, `/` and spaces, for example `auc/EWR`",
        ),
        ("gate now", "%mlops gate takes nothing after its name, but 'now' follows", "write `%mlops gate`"),
        ("track --stop x", "%mlops track: --stop takes no value, but 'x' follows it", "remove 'x'"),
        (
            "register model",
            "%mlops register lacks --data",
            "the form is: %mlops register --data FRAME [--name NAME] MODEL",
        ),
    ],
)
def test_a_line_that_does_not_follow_the_grammar_says_how_to_write_it(line, message, hint):
    with pytest.raises(UsageError) as raised:
        parse_line(line)
    assert (raised.value.message, raised.value.hint) == (message, hint)


@pytest.mark.parametrize("line", ["", "--help", "-h"])
def test_an_empty_line_and_help_list_the_subcommands(line, golden):
    golden("cli/mlops.txt", parse_line(line).help)


@pytest.mark.parametrize("subcommand", SUBCOMMANDS)
def test_each_subcommand_has_a_help_with_an_example_that_parses(subcommand, golden):
    text = parse_line(f"{subcommand} --help").help
    assert text == help_text(subcommand)
    example = text.strip().splitlines()[-1].strip().lstrip("%").removeprefix("mlops ")
    assert parse_line(example).subcommand == subcommand
    golden(f"cli/mlops_{subcommand.replace(' ', '_')}.txt", text)


def test_help_of_an_unknown_subcommand_is_an_error():
    with pytest.raises(UsageError, match="has no subcommand 'gat'"):
        help_text("gat")


def test_the_parser_knows_every_subcommand():
    assert all(subcommand in build_parser().format_help() for subcommand in SUBCOMMANDS)


@given(st.text(max_size=60))
def test_any_text_is_a_line_or_a_usage_error(text):
    try:
        line = parse_line(text)
    except UsageError:
        return
    ast.parse(line.python)


@example("param", "a #")
@example("param", "a =b#")
@example("metric", "a #\n")
@example("metric", "a b --step #")
@example("data", "(a)#--name b")
@given(st.sampled_from(tuple(SUBCOMMANDS)), st.text(alphabet="ab=-()[]{}'\"\\# ,:*\n", max_size=25))
def test_what_is_accepted_is_one_call(subcommand, rest):
    try:
        line = parse_line(f"{subcommand} {rest}")
    except UsageError:
        return
    if line.python:
        call = ast.parse(line.python, mode="eval").body
        assert isinstance(call, ast.Call)
        assert len(call.args) + len(call.keywords) <= 3
