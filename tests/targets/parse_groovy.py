"""Fails when a Groovy file does not parse; runs in the environment of the checkers."""

import sys
from pathlib import Path

import tree_sitter_groovy
from tree_sitter import Language, Parser

parser = Parser(Language(tree_sitter_groovy.language()))
sys.exit(any(parser.parse(Path(name).read_bytes()).root_node.has_error for name in sys.argv[1:]))
