"""Variables changed after a module beside the notebook has read them: refused when a later step imports it again."""

from __future__ import annotations

import pytest

from nbmlops.analysis.analyze import analyze

READS = "import os\nLEVEL = os.environ.get('LEVEL', '1')\n"
ASKS = "import os\n\ndef level():\n    return os.environ.get('LEVEL', '1')\n"
SET = "os.environ['LEVEL'] = '2'"
MESSAGE = (
    "the module 'tool' has read the environment when it was imported; "
    "later steps import it again, after this change (`os.environ[…]`)"
)


@pytest.mark.parametrize(
    ("source", "cells", "messages"),
    [
        (READS, (("imports", "import os, tool"), ("step:a", SET), ("step:b", "print(tool.LEVEL)")), [MESSAGE]),
        (READS, (("step:a", f"import os\nimport tool\n{SET}"), ("step:b", "print(tool.LEVEL)")), [MESSAGE]),
        (
            READS,
            (
                ("imports", "import os, tool"),
                ("functions", "def level():\n    return tool.LEVEL"),
                ("step:a", f"x = level()\n{SET}"),
                ("step:b", "print(level())"),
            ),
            [MESSAGE],
        ),
        (READS, (("step:a", f"import os\n{SET}\nimport tool"), ("step:b", "print(tool.LEVEL)")), []),
        (READS, (("imports", "import os, tool"), ("step:a", f"x = tool.LEVEL\n{SET}"), ("step:b", "print(x)")), []),
        (READS, (("imports", f"import os\n{SET}\nimport tool"), ("step:a", "print(tool.LEVEL)")), []),
        (ASKS, (("imports", "import os, tool"), ("step:a", SET), ("step:b", "print(tool.level())")), []),
        ("def (", (("imports", "import os, tool"), ("step:a", SET), ("step:b", "print(tool.LEVEL)")), []),
    ],
)
def test_a_change_that_comes_too_late_for_a_module(build, source, cells, messages):
    found = analyze(build(*cells), local_modules={"tool": source}).diagnostics
    assert [(d.code, d.message) for d in found] == [("NB404", message) for message in messages]
