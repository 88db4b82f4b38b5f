"""The colours of our pictures: custom properties that a notebook's front end, a page or a file of its own gives."""

from __future__ import annotations

FONT = "system-ui,-apple-system,'Segoe UI',sans-serif"
# name -> what a notebook's front end calls it, what our own pages call it, and plain colours for light and dark.
_COLOURS = {
    "ink": ("var(--jp-ui-font-color1,var(--vscode-foreground,var(--ink,%s)))", "#1c2128", "#e6edf3"),
    "dim": ("var(--jp-ui-font-color2,var(--vscode-descriptionForeground,var(--dim,%s)))", "#59636e", "#9198a1"),
    "line": ("var(--jp-border-color1,var(--line,%s))", "#b7bfc8", "#4c545d"),
    "ground": ("var(--jp-layout-color0,var(--vscode-editor-background,var(--ground,%s)))", "#ffffff", "#0d1117"),
    "soft": ("var(--jp-layout-color2,var(--vscode-editorWidget-background,var(--soft,%s)))", "#f6f8fa", "#151b23"),
    "plain": ("var(--jp-brand-color1,%s)", "#1f6feb", "#4493f8"),
    "good": ("var(--jp-success-color1,var(--good,%s))", "#1a7f37", "#3fb950"),
    "bad": ("var(--jp-error-color1,var(--bad,%s))", "#cf222e", "#f85149"),
    "warn": ("var(--jp-warn-color1,var(--warn,%s))", "#9a6700", "#d29922"),
}


def theme_colours() -> str:
    """Returns declarations of `--nb-…` by the colours of whatever shows the picture."""
    return ";".join(f"--nb-{name}:{theirs % light}" for name, (theirs, light, _) in _COLOURS.items())


def own_colours(*, dark: bool) -> str:
    """Returns declarations of `--nb-…` by plain colours."""
    return ";".join(f"--nb-{name}:{night if dark else light}" for name, (_, light, night) in _COLOURS.items())
