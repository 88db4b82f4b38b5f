from xml.etree import ElementTree as ET

import pytest

from nbmlops.app.show.pictures import Bars, bars_svg, bars_text


def test_shares_as_text() -> None:
    assert bars_text((0.0, 0.001, 0.25, 0.5)) == " ▁▄█"
    assert bars_text((0.0, 0.0)) == "  "
    assert bars_text(()) == ""


@pytest.mark.parametrize("labels", [("low", "high"), ("a", "b", "c"), tuple("abcdefgh")])
def test_the_picture_has_two_bars_for_each_share_and_its_words(labels: tuple[str, ...]) -> None:
    count = 3 if len(labels) == 2 else len(labels)
    drawn = ET.fromstring(bars_svg(Bars("x: strong drift", labels, (0.1,) * count, (0.2,) * count)))
    assert drawn.get("aria-label") == "x: strong drift"
    assert len(drawn.findall("rect")) == 2 * count
    shown = [text.text for text in drawn.findall("text")]
    assert shown == ([labels[0], labels[-1]] if len(labels) > 6 else list(labels))


def test_names_and_values_stay_text() -> None:
    hostile = '"><script>alert(1)</script>'
    drawn = ET.fromstring(bars_svg(Bars(hostile, (hostile, "b", "c"), (1, 0, 0), (0, 1, 0))))
    assert drawn.get("aria-label") == hostile
    assert {element.tag for element in drawn.iter()} == {"svg", "rect", "text"}
