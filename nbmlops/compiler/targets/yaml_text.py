"""YAML for CI systems: one dump of plain data, so that a text can only be a text."""

from __future__ import annotations

from collections.abc import Mapping

import yaml


def yaml_text(document: Mapping[str, object]) -> str:
    """Returns the document as YAML, keys in their order, texts of several lines as blocks, without references."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, and lists indented under their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002  # PyYAML's signature
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # PyYAML's signature
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


def _represent_key_free(dumper: yaml.SafeDumper, data: Mapping[str, object]) -> yaml.MappingNode:
    return dumper.represent_mapping("tag:yaml.org,2002:map", list(data.items()), flow_style=not data)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(dict, _represent_key_free)
