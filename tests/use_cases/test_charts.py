"""Charts: proportions, texts that are whole and escaped, and nothing that colour alone would say (rule 12.6)."""

import itertools
import re
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.use_cases.charts.bars import Bar, draw_bars
from complaints.use_cases.charts.drawing import WIDTH, ChartWords
from complaints.use_cases.charts.lettering import measure_text, wrap_text
from complaints.use_cases.charts.pareto import ParetoPart, draw_pareto, share_together
from complaints.use_cases.charts.stacked import StackedBar, draw_stacked
from complaints.use_cases.charts.timeline import TimePoint, choose_ticks, draw_timeline

SVG = "{http://www.w3.org/2000/svg}"
WORDS = ChartWords("inflow", "Inflow <by> team", 'Bars & "values"')
LONG = "中国电信股份有限公司宁夏回族自治区分公司固原市泾源县服务质量监督与投诉处理中心第一受理小组"


def numbers(*values: int) -> list[Decimal]:
    return [Decimal(value) for value in values]


def read(svg: str) -> ElementTree.Element:
    root = ElementTree.fromstring(svg)
    for mark in root.iter():
        right = float(mark.get("x", 0)) + float(mark.get("width", 0)) if mark.tag == SVG + "rect" else 0
        assert right <= WIDTH + 0.01, ElementTree.tostring(mark)
        if mark.tag == SVG + "text":
            is_bold = mark.get("font-weight") == "bold"
            width, x = measure_text(mark.text or "", bold=is_bold), float(mark.get("x", 0))
            left = {"start": x, "middle": x - width / 2, "end": x - width}[mark.get("text-anchor", "")]
            assert left >= -0.01, mark.text
            assert left + width <= WIDTH + 0.01, mark.text
            assert float(mark.get("y", 0)) <= float(root.get("viewBox", "").split()[3])
    return root


def lengths(root: ElementTree.Element) -> list[float]:
    return [
        float(box.get("width", 0)) for box in root.iter(SVG + "rect") if box.find(SVG + "title") is not None
    ]


def texts(root: ElementTree.Element) -> list[str]:
    return [one.text or "" for one in root.iter(SVG + "text")]


@pytest.mark.parametrize(
    "drawing",
    [
        draw_bars(WORDS, [Bar(LONG, Decimal(3), "3"), Bar("<none>", None, "no value")]),
        draw_bars(WORDS, []),
        draw_timeline(WORDS, [TimePoint("1 Oct", Decimal(3), "3"), TimePoint("2 Oct", None, "–")], str),
        draw_timeline(WORDS, [], str),
        draw_stacked(WORDS, ["0–1", LONG], [StackedBar(LONG, (Decimal(4), Decimal(1)))], str),
        draw_pareto(
            WORDS, [ParetoPart(LONG, Decimal(4)), ParetoPart("b", Decimal(0))], lambda v, s: f"{v} ({s})"
        ),
        draw_pareto(WORDS, [], lambda value, share: f"{value}"),
    ],
)
def test_rule_12_06_a_chart_has_a_name_and_a_description_and_whole_escaped_texts(drawing: str) -> None:
    root = read(drawing)
    assert root.get("role") == "img"
    named = {one.get("id"): one.text for one in root if one.get("id")}
    assert [named[name] for name in root.get("aria-labelledby", "").split()] == [
        "Inflow <by> team",
        'Bars & "values"',
    ]
    assert "…" not in drawing
    assert "http" not in drawing.replace("http://www.w3.org/2000/svg", "")
    if LONG in drawing:
        assert LONG in "".join(texts(root))


def test_rule_12_06_bars_are_as_long_as_their_values() -> None:
    bars = [Bar(str(value), Decimal(value), str(value)) for value in (5, 10, 20, 0)]
    short, middle, long = lengths(read(draw_bars(WORDS, bars)))
    assert (middle / short, long / short) == (pytest.approx(2, rel=0.01), pytest.approx(4, rel=0.01))
    (half,) = lengths(read(draw_bars(WORDS, [Bar("x", Decimal("0.5"), "50 %")], largest=Decimal(1))))
    (whole,) = lengths(read(draw_bars(WORDS, [Bar("x", Decimal(1), "50 %")], largest=Decimal(1))))
    assert whole / half == pytest.approx(2, rel=0.01)


def test_a_value_on_few_cases_is_a_hollow_bar_with_its_interval() -> None:
    few = Bar("Team", Decimal("0.5"), "50 %", firm=False, interval=(Decimal("0.15"), Decimal("0.85")))
    root = read(draw_bars(WORDS, [few], largest=Decimal(1)))
    (box,) = root.iter(SVG + "rect")
    assert box.get("fill") == "none"
    whisker = next(iter(root.iter(SVG + "line")))
    length = float(whisker.get("x2", 0)) - float(whisker.get("x1", 0))
    assert length / float(box.get("width", 0)) == pytest.approx(0.7 / 0.5, rel=0.01)


def test_a_time_line_has_round_axis_numbers_and_gaps() -> None:
    values = [Decimal(2), Decimal(4), None, Decimal(1)]
    points = [TimePoint(f"{day} Oct", value, str(value)) for day, value in enumerate(values, start=1)]
    root = read(draw_timeline(WORDS, points, str))
    dots = [(float(dot.get("cx", 0)), float(dot.get("cy", 0))) for dot in root.iter(SVG + "circle")]
    (_, base), *_ = [(0.0, float(one.get("y1", 0))) for one in root.iter(SVG + "line")]
    heights = [base - y for _, y in dots]
    assert heights[1] / heights[0] == pytest.approx(2, rel=0.01)
    assert heights[0] / heights[2] == pytest.approx(2, rel=0.01)
    assert dots[2][0] - dots[1][0] == pytest.approx(2 * (dots[1][0] - dots[0][0]), rel=0.01)
    assert len(list(root.iter(SVG + "polyline"))) == 2
    assert {"0", "4", "2 Oct: 4", "1 Oct"} <= set(texts(root))


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_an_axis_has_few_round_numbers_that_reach_the_largest_value(largest: Decimal) -> None:
    ticks = choose_ticks(largest)
    assert 2 <= len(ticks) <= 5
    assert ticks[0] == 0
    assert ticks[-1] >= largest
    assert len({second - first for first, second in itertools.pairwise(ticks)}) == 1


def test_parts_of_a_stacked_bar_have_patterns_and_a_legend() -> None:
    bars = [StackedBar("North", tuple(numbers(30, 10, 0))), StackedBar("South", tuple(numbers(5, 5, 10)))]
    root = read(draw_stacked(WORDS, ["0–1 days", "2–3 days", "> 3 days"], bars, str))
    assert {"0–1 days: 35", "2–3 days: 15", "> 3 days: 10", "40", "20"} <= set(texts(root))
    long, short, *_ = lengths(root)
    assert long / short == pytest.approx(3, rel=0.01)
    fills = [one.get("fill") for one in root.iter(SVG + "rect") if one.find(SVG + "title") is not None]
    assert len(set(fills)) == 3
    defined = {one.get("id") for one in root.iter(SVG + "pattern")}
    assert {re.sub(r"url\(#(.*)\)", r"\1", fill or "") for fill in fills if "url" in str(fill)} == defined
    with pytest.raises(ValueError, match="7 parts"):
        draw_stacked(WORDS, list("abcdefg"), [], str)


def test_a_pareto_sums_up_from_bar_to_bar() -> None:
    parts = [ParetoPart("a", Decimal(60)), ParetoPart("b", Decimal(30)), ParetoPart("c", Decimal(10))]
    root = read(draw_pareto(WORDS, parts, lambda value, share: f"{value}, {share:.0%}"))
    assert texts(root) == ["a", "60, 60%", "b", "30, 90%", "c", "10, 100%"]
    knots = [float(one.get("cx", 0)) for one in root.iter(SVG + "circle")]
    assert (knots[1] - 1) / (knots[0] - 1) == pytest.approx(1.5, rel=0.01)
    assert share_together([]) == []
    assert share_together(numbers(0, 0)) == numbers(0, 0)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=200))
def test_a_text_that_is_wrapped_loses_nothing(text: str) -> None:
    lines = wrap_text(text, 100)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(measure_text(line) <= 100 for line in lines)
