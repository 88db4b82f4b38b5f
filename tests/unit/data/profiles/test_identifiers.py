import pytest

from nbmlops.data.profiles.identifiers import looks_like_identifier


@pytest.mark.parametrize(
    ("name", "distinct", "present", "values"),
    [
        ("customer_id", 3, 100, ["1"]),
        ("userName", 3, 100, ["x"]),
        ("E-Mail", 3, 100, ["x"]),
        ("comment", 80, 100, ["x"]),
        ("contact", 3, 100, ["someone@example.org"]),
        ("contact", 3, 100, ["+49 151 2345678"]),
        ("key", 3, 100, ["123e4567-e89b-12d3-a456-426614174000"]),
        ("host", 3, 100, ["10.0.0.1"]),
        ("hash", 3, 100, ["d41d8cd98f00b204e9800998ecf8427e"]),
    ],
)
def test_what_points_at_people_or_things(name: str, distinct: int, present: int, values: list[str]) -> None:
    assert looks_like_identifier(name, distinct, present, values)


@pytest.mark.parametrize(
    ("name", "distinct", "values"),
    [("carrier", 16, ["UA", "B6"]), ("width", 3, ["1.5"]), ("day", 30, ["2024-01-01"]), ("valid", 2, ["yes"])],
)
def test_what_does_not(name: str, distinct: int, values: list[str]) -> None:
    assert not looks_like_identifier(name, distinct, 1000, values)
