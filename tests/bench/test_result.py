"""How a result is judged: by its ratio or its own number, upwards or downwards."""

import pytest

from benchmarks.measures.measure import Cost, Measurement, Result, Row


def row(floor: float, aim: float, **members: object) -> Row:
    return Row("r", "something", "unit", floor, aim, lambda _: Measurement(1.0), **members)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("floor", "aim", "product", "met"),
    [
        (0.2, 0.4, 10, (False, False)),
        (0.2, 0.4, 20, (True, False)),
        (0.2, 0.4, 40, (True, True)),
        (3, 1.5, 400, (False, False)),
        (3, 1.5, 300, (True, False)),
        (3, 1.5, 150, (True, True)),
    ],
)
def test_a_ratio_meets_floor_and_aim(
    floor: float, aim: float, product: float, met: tuple[bool, bool]
) -> None:
    result = Result(row(floor, aim), [Measurement(product, 100.0)], {})
    assert (result.meets_floor, result.meets_aim) == met


def test_the_ratio_is_the_median_of_ratios_taken_at_the_same_time() -> None:
    runs = [Measurement(10.0, 20.0), Measurement(90.0, 100.0), Measurement(1.0, 10.0)]
    assert Result(row(0.2, 0.4), runs, {}).ratio == 0.5


def test_without_a_limit_the_products_own_number_counts() -> None:
    result = Result(row(1.0, 0.3, judged="product"), [Measurement(0.5)], {})
    assert (result.limit, result.ratio) == (None, None)
    assert (result.meets_floor, result.meets_aim) == (True, False)


def test_a_ratio_without_a_limit_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no limit"):
        _ = Result(row(0.2, 0.4), [Measurement(0.5)], {}).judged


@pytest.mark.parametrize(
    ("cost", "met"), [(0.7, (False, False)), (0.6, (True, False)), (0.5, (True, False)), (0.4, (True, True))]
)
def test_a_cost_is_judged_beside_the_ratio(cost: float, met: tuple[bool, bool]) -> None:
    asked = Cost("processor time", "ms", lambda details: details["cpu"], floor=0.6, aim=0.4)
    runs = [Measurement(40.0, 100.0, {"cpu": one}) for one in (9.0, cost, 0.1)]
    result = Result(row(0.2, 0.4, cost=asked), runs, {})
    assert (result.cost, result.meets_floor, result.meets_aim) == (cost, *met)


def test_a_cost_of_which_nothing_is_asked_is_only_kept() -> None:
    shown = Cost("processor time", "ms", lambda details: details["cpu"])
    result = Result(row(0.2, 0.4, cost=shown), [Measurement(40.0, 100.0, {"cpu": 9.0})], {})
    assert (result.cost, result.meets_floor, result.meets_aim) == (9.0, True, True)
