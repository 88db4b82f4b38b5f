"""What differs between two runs or model versions of a project."""

from __future__ import annotations

from pathlib import Path

from nbmlops.app.comparing.runs import known_directions
from nbmlops.app.config.config import load_config
from nbmlops.app.project import find_root, pipeline_names
from nbmlops.app.versions.lineage import lineage_of
from nbmlops.app.wiring import Opener, open_existing
from nbmlops.registry.story import Story
from nbmlops.registry.story_diff import StoryDiff, diff_stories


def diff_of(before: str | Story, after: str | Story, cwd: Path, opener: Opener = open_existing) -> StoryDiff:
    """Returns what differs.

    Args:
        before: `MODEL`, `MODEL@alias`, `MODEL/version`, or a run's id; or a story that is known already.
        after: Likewise.
        cwd: A folder of the project.
        opener: Opens the stores.

    Raises:
        UsageError: one of them does not exist; the message has the nearest names.
        ConfigError: the configuration is malformed.
        EnvironmentFault: a store cannot be used.
    """
    old, new = (side if isinstance(side, Story) else lineage_of(side, cwd, opener) for side in (before, after))
    root = find_root(cwd)
    config = load_config(root)
    directions = known_directions(config.for_pipeline(name) for name in ("", *pipeline_names(root)))
    return diff_stories(old, new, directions)
