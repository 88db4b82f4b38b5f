"""What normalising leaves out of outputs, by name; and what it must not leave out."""

from datetime import UTC, datetime

import pytest

from nbmlops.data.compare.noise import ADDRESSES, IDS, MODULES, PLACES, TIMES, Cleaned, Noise

NOISE = Noise("churn", datetime(2026, 3, 1, 12, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "kind", "clean", "removed"),
    [
        ("<object at 0x7f12ab34cd56>", "printed", "<object at 0x…>", {ADDRESSES}),
        ("&lt;trees...x7f12ab34cd56&gt;", "text/html", "&lt;trees...0x…&gt;", {ADDRESSES}),
        ("<__main__.Box object>", "text/plain", "<Box object>", {MODULES}),
        ("<churn.helpers.Box object>", "text/plain", "<Box object>", {MODULES}),
        ("<function churn.train.train.<locals>.f>", "printed", "<function f>", {MODULES}),
        ("<function train.<locals>.f at 0x7f12ab34cd56>", "printed", "<function f at 0x…>", {ADDRESSES, MODULES}),
        (" 50%|█████     | 5/10 [00:01<00:01,  4.8it/s]", "stderr", " 50%|█████     | 5/10 […]", {TIMES}),
        ("32/32 - 1s 20ms/step - loss: 0.1", "printed", "32/32 - … - loss: 0.1", {TIMES}),
        ("2026-03-01 11:58:02,123 INFO ready", "stderr", "<time> INFO ready", {TIMES}),
        ("2026-03-01T12:00:00.5Z", "printed", "<time>", {TIMES}),
        ("/tmp/ipykernel_12/345.py:3: UserWarning: careful", "stderr", "UserWarning: careful", {PLACES}),
        ("/home/me/churn/train.py:30: UserWarning: careful", "stderr", "UserWarning: careful", {PLACES}),
        (
            '<p id="T_1a">x</p><a href="#T_1a">T_1a-b</a>',
            "text/html",
            '<p id="id0">x</p><a href="#id0">T_1a-b</a>',
            {IDS},
        ),
    ],
)
def test_noise_is_left_out(text: str, kind: str, clean: str, removed: set[str]) -> None:
    assert NOISE.cleaned(text, kind) == Cleaned(clean, frozenset(removed))


@pytest.mark.parametrize(
    "text",
    [
        "CPU times: user 3 µs, sys: 1 µs, total: 4 µs",
        "Wall time: 7.15 µs",
        "1.06 μs ± 12.3 ns per loop (mean ± std. dev. of 7 runs, 1,000,000 loops each)",
        "1min 3s ± 1.2 s per loop (mean ± std. dev. of 7 runs, 1 loop each)",
        "The slowest run took 7.25 times longer than the fastest. This could mean that a result is being cached.",
    ],
)
def test_lines_that_only_tell_times_are_nothing(text: str) -> None:
    assert NOISE.cleaned(text, "printed") == Cleaned("", frozenset({TIMES}), is_nothing=True)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("mean delay: 12.5 min", "printed"),
        ("2024-07-01 10:00:00", "printed"),
        ("flights at 2026-13-45 99:00:00", "printed"),
        ("0x1f", "printed"),
        ("my__main__.x and churned.helpers.x", "printed"),
        ("Wall time: long", "printed"),
        ('<p class="a">x</p>', "text/html"),
        ("iVBORw0KGgo 0x7f12ab34cd56", "image/png"),
        ("a.py:3: UserWarning: careful", "printed"),
    ],
)
def test_everything_else_stays(text: str, kind: str) -> None:
    assert NOISE.cleaned(text, kind) == Cleaned(text, frozenset())


def test_ids_are_numbered_in_the_order_in_which_they_stand() -> None:
    one = NOISE.cleaned('<i id="a7"></i><i id="b7"></i>b7', "text/html").text
    assert one == NOISE.cleaned('<i id="x1"></i><i id="y1"></i>y1', "text/html").text
    assert one != NOISE.cleaned('<i id="x1"></i><i id="y1"></i>x1', "text/html").text
