"""Tags of Jupyter's own that the parts of the program agree on."""

from __future__ import annotations

RAISES = "raises-exception"
"""The tag of a cell after whose error the notebook goes on."""
