"""Our own YAML documents: one way to write them, and a reader that refuses what we never write.

Nothing but plain data, no anchors (so no bombs), no duplicate keys. The C parser and emitter of PyYAML are used
where the installation has them; both emitters give the same bytes because lines are never folded.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from nbmlops.core.errors import UsageError

_SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SafeDumper: type[yaml.SafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

MAX_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 100
"""Parsers recurse in C: deeper documents, which nobody writes, would end the process instead of raising."""


class Inline(list[object]):
    """A list that is written on one line, in brackets."""


class _Dumper(_SafeDumper):  # type: ignore[misc, valid-type]  # the base is chosen at import: C or pure Python
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # the signature is PyYAML's
        return True


_Dumper.add_representer(
    Inline, lambda dumper, data: dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True)
)


def yaml_text(document: object) -> str:
    """Returns the document as YAML, keys in the given order. The texts of its keys, one by one, make the same."""
    text: str = yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=1_000_000_000
    )
    return text


def read_yaml(path: Path, hint: str = "") -> object:
    """Returns the plain data of a YAML file.

    Raises:
        UsageError: the file is missing, too large, not YAML, or uses anchors, tags of its own or a key twice.
    """
    return parse_yaml(read_bytes(path, hint), path, hint)


def read_bytes(path: Path, hint: str = "") -> bytes:
    """Returns the bytes of a YAML file.

    Raises:
        UsageError: the file is missing or too large.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise UsageError(f"{path} does not exist", hint) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}", hint) from error
    if len(data) > MAX_BYTES:
        raise UsageError(f"{path} is larger than {MAX_BYTES} bytes", hint)
    return data


def parse_yaml(data: bytes, path: Path, hint: str = "") -> object:
    """Returns the plain data in the bytes of a YAML file.

    Raises:
        UsageError: they are not YAML, or use anchors, tags of their own or a key twice.
    """
    try:
        return _plain(data)
    except (yaml.YAMLError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as YAML: {_in_one_line(error)}", hint) from error


@lru_cache(maxsize=2)  # one command asks for the same document several times, and nobody changes it
def _plain(data: bytes) -> object:
    _check_events(data)
    loader = _SafeLoader(data)
    try:
        node = loader.get_single_node()
        _check_keys(node)
        return None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _check_events(data: bytes) -> None:
    # Anchors and deep nesting are refused before anything recurses.
    depth = 0
    for event in yaml.parse(data, Loader=_SafeLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _fault("anchors are not allowed", event)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise _fault("nested too deeply", event)


def _check_keys(node: yaml.Node | None) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[Hashable] = set()
        for key, value in node.value:
            name = (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else None
            if name is None or key.tag == "tag:yaml.org,2002:merge":
                raise _fault("a key must be a plain text", key)
            if name in seen:
                raise _fault(f"the key {key.value!r} stands twice", key)
            seen.add(name)
            _check_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_keys(item)


def _fault(problem: str, place: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=place.start_mark)


def _in_one_line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"line {mark.line + 1}:{mark.column + 1}: {problem}" if mark else str(problem)
