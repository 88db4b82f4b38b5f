from __future__ import annotations

import math
from xml.etree import ElementTree as ET

from nbmlops.app.show.sparks import Line, Spark, spark_line, spark_svg, spark_text


def test_values_go_from_left_to_right_and_the_reference_counts_for_the_height():
    assert spark_line(Spark("auc", (0.0, 1.0), 0.5)) == Line(((3.0, 19.0), (93.0, 3.0)), 11.0)
    assert spark_line(Spark("auc", (1.0, 1.0))) == Line(((3.0, 11.0), (93.0, 11.0)), None)
    assert spark_line(Spark("auc", (1.0,), 2.0)) == Line(((48.0, 19.0),), 3.0)
    assert spark_line(Spark("auc", ())) == Line(())


def test_what_is_no_number_is_left_out_and_extremes_are_drawn():
    assert spark_line(Spark("x", (math.nan, 0.0, math.inf, 1.0), math.nan)) == Line(((3.0, 19.0), (93.0, 3.0)), None)
    assert spark_line(Spark("x", (-1.7e308, 1.7e308))) == Line(((3.0, 19.0), (93.0, 3.0)), None)


def test_of_many_values_those_that_can_be_told_apart_are_drawn_the_last_one_among_them():
    line = spark_line(Spark("x", tuple(map(float, range(10_000)))))
    assert len(line.points) == 64
    assert line.points[-1] == (93.0, 3.0)


def test_as_text_the_lowest_is_the_lowest_block():
    assert spark_text(Spark("x", (0.0, 0.5, 1.0))) == "▁▅█"
    assert spark_text(Spark("x", ())) == ""


def test_the_picture_names_itself_and_holds_no_markup_of_the_users():
    hostile = '"><script>alert(1)</script>'
    drawn = ET.fromstring(spark_svg(Spark(hostile, (1.0, 2.0), 1.5)))
    assert drawn.get("aria-label") == hostile
    assert [element.tag for element in drawn] == ["line", "polyline", "circle"]
