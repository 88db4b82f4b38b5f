"""A registry that goes away, or whose process dies, in the middle of what is done to it."""

from __future__ import annotations

from collections.abc import Mapping

from nbmlops.core.errors import EnvironmentFault
from nbmlops.gate.verdict import Verdict
from nbmlops.registry.registry import Candidate, ModelVersion
from tests.fakes.in_memory import InMemoryRegistry


class FailingRegistry(InMemoryRegistry):
    """A registry that is away, or whose process dies, from its call number `last` on that changes something."""

    last = 1000
    error: type[BaseException] = EnvironmentFault

    def _count(self) -> None:
        self.last -= 1
        if self.last < 0:
            raise self.error("away")

    def add(self, candidate: Candidate, verdict: Verdict) -> ModelVersion:
        self._count()
        return super().add(candidate, verdict)

    def set_alias(self, name: str, alias: str, version: str) -> None:
        self._count()
        super().set_alias(name, alias, version)

    def remove_alias(self, name: str, alias: str) -> None:
        self._count()
        super().remove_alias(name, alias)

    def set_tags(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        self._count()
        super().set_tags(name, version, tags)

    def make_entry(self, name: str, tags: Mapping[str, str]) -> bool:
        self._count()
        return super().make_entry(name, tags)

    def tag_entry(self, name: str, tags: Mapping[str, str]) -> None:
        self._count()
        super().tag_entry(name, tags)

    def drop_entry(self, name: str) -> None:
        self._count()
        super().drop_entry(name)
