"""From what facts add up to, the answer: groups with their values, in order, and the total. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from complaints.domain.figures.answers import Exclusion, FigureGroup
from complaints.domain.figures.catalogue import Figure, ValueKind
from complaints.domain.figures.evaluation import FactSum, divide, wilson_interval

SHARES = {"p50": 50, "p80": 80, "p90": 90}
"""The percentiles of a figure of times, in percent (rule 6.9)."""


def make_group(figure: Figure, key: str | None, tally: FactSum, ranks: Mapping[str, int]) -> FigureGroup:
    """The figure of one group. `ranks` are the percentiles of a figure of times, by name."""
    denominator = Decimal(tally.counted) if figure.has_denominator else None
    sums = {**(tally.parts or {}), **{name: value for name, value in ranks.items() if name != "p50"}}
    parts: dict[str, Decimal | None] = {name: value * figure.scale for name, value in sums.items()}
    if figure.name == "csat":
        parts["response_rate"] = divide(Decimal(tally.counted), _asked(tally))
    return FigureGroup(
        key=key,
        value=_value_of(figure, tally, ranks),
        numerator=_numerator_of(figure, tally),
        denominator=denominator,
        excluded=tuple(Exclusion(*pair) for pair in sorted((tally.excluded or {}).items())),
        interval=_interval_of(figure, tally),
        parts=parts,
    )


def _interval_of(figure: Figure, tally: FactSum) -> tuple[Decimal, Decimal] | None:
    if figure.kind is not ValueKind.RATE:
        return None
    return wilson_interval(tally.numerator, Decimal(tally.counted))


def _numerator_of(figure: Figure, tally: FactSum) -> Decimal:
    """The sum of the parts of the facts. A median counts its facts."""
    if figure.kind is ValueKind.MEDIAN:
        return Decimal(tally.counted)
    return tally.numerator * figure.scale


def _value_of(figure: Figure, tally: FactSum, ranks: Mapping[str, int]) -> Decimal | None:
    match figure.kind:
        case ValueKind.RATE:
            return divide(tally.numerator, tally.counted)
        case ValueKind.NET:
            return divide(tally.numerator, tally.counted, times=100)
        case ValueKind.MEDIAN:
            return ranks["p50"] * figure.scale if ranks else None
        case _:
            return _numerator_of(figure, tally)


def _asked(tally: FactSum) -> int:
    """The contacts that reached the complainant: with a score, or without."""
    return tally.counted + (tally.excluded or {}).get("no_score", 0)


def compare_with_before(
    groups: Sequence[FigureGroup], total: FigureGroup, before: Mapping[str | None, Decimal]
) -> tuple[list[FigureGroup], FigureGroup]:
    """The groups, the most frequent first, each with its shares and the change against the period before (rule 6.16).

    A group that had facts only in the period before is there too. The facts of no group come last.
    """
    known = {group.key for group in groups}
    gone = [
        FigureGroup(key, Decimal(0), Decimal(0))
        for key, count in before.items()
        if key not in known and count
    ]
    ordered = sorted([*groups, *gone], key=lambda one: (one.key is None, -one.numerator, one.key or ""))
    made, so_far = [], Decimal(0)
    for group in ordered:
        so_far += group.numerator
        shares = {
            "share": divide(group.numerator, total.numerator),
            "cumulative_share": divide(so_far, total.numerator),
        }
        made.append(replace(group, parts=shares | _change(group, before.get(group.key, Decimal(0)))))
    return made, replace(total, parts=_change(total, sum(before.values(), Decimal(0))))


def _change(group: FigureGroup, before: Decimal) -> dict[str, Decimal | None]:
    return {"before": before, "change": divide(group.numerator - before, before)}
