import re

import pytest

from nbmlops.ipython.subcommands import SUBCOMMANDS, Subcommand, find
from nbmlops.notebook import mlops_lines, mlops_subcommands


def test_the_list_has_every_subcommand_of_the_grammar_in_its_order():
    assert [*(subcommand.name for subcommand in SUBCOMMANDS), "step"] == list(mlops_subcommands.SUBCOMMANDS)


@pytest.mark.parametrize("subcommand", SUBCOMMANDS, ids=lambda subcommand: subcommand.name)
def test_options_and_example_are_those_of_the_grammar(subcommand: Subcommand):
    help_text = mlops_lines.help_text(subcommand.name)
    assert set(subcommand.options) == set(re.findall(r"--[a-z-]+", help_text.partition("example:")[0])) - {"--help"}
    assert mlops_lines.parse_line(subcommand.example.removeprefix("%mlops ")).subcommand == subcommand.name


def test_find():
    assert find("gate") is SUBCOMMANDS[12]
    assert find("gates") is None
