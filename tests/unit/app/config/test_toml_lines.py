from __future__ import annotations

from nbmlops.app.config.toml_lines import key_lines, line_of

TEXT = '''\
# [not.a.table]
[tracking]  # comment = 1
uri = "a # [x]"
"quoted key" = """
experiment = "inside a string"
"""
many = [
  "x = 1",   # ]
  [1, 2],
]
after.dotted = 1

[[gate.rules]]
name = "one"
[[gate.rules]]
name = 'two = "three"'
[gate.rules.deep]
x = 1
[pipelines."kale wine"]
metrics = { accuracy = "acc", 'f 1' = "f1" }
'''


def test_every_key_has_its_line() -> None:
    assert key_lines(TEXT) == {
        ("tracking",): 2,
        ("tracking", "uri"): 3,
        ("tracking", "quoted key"): 4,
        ("tracking", "many"): 7,
        ("tracking", "after", "dotted"): 11,
        ("gate", "rules"): 13,
        ("gate", "rules", 0): 13,
        ("gate", "rules", 0, "name"): 14,
        ("gate", "rules", 1): 15,
        ("gate", "rules", 1, "name"): 16,
        ("gate", "rules", 1, "deep"): 17,
        ("gate", "rules", 1, "deep", "x"): 18,
        ("pipelines", "kale wine"): 19,
        ("pipelines", "kale wine", "metrics"): 20,
        ("pipelines", "kale wine", "metrics", "accuracy"): 20,
        ("pipelines", "kale wine", "metrics", "f 1"): 20,
    }


def test_an_unknown_key_has_the_line_of_what_holds_it() -> None:
    lines = key_lines(TEXT)
    assert line_of(lines, ("gate", "rules", 1, "metric")) == 15
    assert line_of(lines, ("tracking", "many", 1)) == 7
    assert line_of(lines, ("nothing",)) == 1
