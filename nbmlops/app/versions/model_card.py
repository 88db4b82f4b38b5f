"""The card of a model version: made from its story and the project's words, kept with the version where asked."""

from __future__ import annotations

from html import escape
from pathlib import Path

from msgspec import Struct

from nbmlops.app.config.config import load_config
from nbmlops.app.config.document import ConfigDocument, PipelineTable
from nbmlops.app.project import find_root
from nbmlops.app.show.cards import Card, Table, table_html
from nbmlops.app.show.views import View
from nbmlops.app.versions.lineage import lineage_of
from nbmlops.app.versions.promote import parse_model, store_of
from nbmlops.app.wiring import Opener, open_existing
from nbmlops.core.digest import digest_bytes
from nbmlops.core.errors import UsageError
from nbmlops.registry.model_card import CardSection, CardWords, ModelCard, card_markdown, card_of, card_to_json
from nbmlops.registry.story import Story

CARD_TAG = "nbmlops.card"


class CardView(View, Struct, frozen=True):
    """The card of a model version."""

    model_card: ModelCard
    stored: str = ""

    def card(self) -> Card:
        """Returns its tables; texts and what is missing stand in the notes."""
        tables = [
            Table(f"{section.title}{f': {table.caption}' if table.caption else ''}", table.head, table.rows)
            for section in self.model_card.sections
            for table in section.tables
        ]
        notes = [f"{section.title}: {text}" for section in self.model_card.sections for text in section.texts]
        notes += [f"{one.title} is missing: {one.missing}" for one in self.model_card.sections if one.missing]
        notes += [f"stored with the version as {self.stored}"] if self.stored else []
        return Card("CARD", self.model_card.title, tuple(tables), tuple(notes))

    def __repr__(self) -> str:
        return card_markdown(self.model_card)

    def _repr_html_(self) -> str:
        return card_html(self.model_card)


def card_html(card: ModelCard) -> str:
    """Returns the card as HTML; every text is escaped, Markdown that people wrote is shown as they wrote it."""
    parts = [f'<section class="nbmlops"><h1>{escape(card.title)}</h1>']
    for section in card.sections:
        parts += _section_html(section)
    return "\n".join([*parts, "</section>"])


def _section_html(section: CardSection) -> list[str]:
    parts = [f'<h2 style="margin-top:1.2em;display:block">{escape(section.title)}</h2>']
    parts += [f'<p style="white-space:pre-wrap">{escape(text)}</p>' for text in section.texts]
    if section.missing:
        parts.append(f'<p style="opacity:.75"><em>missing: {escape(section.missing)}</em></p>')
    parts += [table_html(Table(table.caption, table.head, table.rows)) for table in section.tables]
    return parts


def _words(story: Story, document: ConfigDocument) -> CardWords:
    """Returns what people say of a model: the settings of its pipeline over those of the project, and tagged cells."""
    run = story.run
    project, own = document.card, document.pipelines.get(run.pipeline if run is not None else "", PipelineTable()).card
    return CardWords(
        own.intended_use or project.intended_use,
        own.limits or project.limits,
        own.owner or project.owner,
        run.provenance.card if run is not None and run.provenance is not None else (),
    )


def model_card(text: str, cwd: Path, *, store: bool = False, opener: Opener = open_existing) -> CardView:
    """Returns the card of a model version.

    Args:
        text: `MODEL` (its champion, else its newest version), `MODEL@alias` or `MODEL/version`; "" for the only model.
        cwd: A folder of the project.
        store: Keep it with the version: the card among the artifacts of its run, its SHA-256 as a tag of the version.
        opener: Opens the stores.

    Raises:
        UsageError: there is no such model, version or alias, or the text names a run.
        ConfigError: the configuration is malformed.
        EnvironmentFault: a store cannot be used.
    """
    story = lineage_of(text, cwd, opener)
    if story.version is None:
        raise UsageError(f"{text} is a run, and cards are made of model versions", "name MODEL or MODEL/version")
    root = find_root(cwd)
    card = card_of(story, _words(story, load_config(root).document))
    if not store:
        return CardView(card)
    version = story.version.version
    if story.run is None:
        raise UsageError(f"the run of {text} is not there, so there is no place for its card")
    stores = opener(root, store_of(root, parse_model(text, "")[0] if text else version.name, cwd))
    name = f"nbmlops/cards/{version.version}.json"
    markdown = card_markdown(card)
    stores.tracker.log_document(story.run.facts.run_id, name, card_to_json(card) | {"markdown": markdown})
    digest = digest_bytes(markdown.encode("utf-8", "backslashreplace"))
    stores.registry.set_tags(version.name, version.version, {CARD_TAG: digest})
    return CardView(card, f"{name} (sha256 {digest[:12]})")
