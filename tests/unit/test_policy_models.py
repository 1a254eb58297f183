"""What a policy pack may say: bands without gap or overlap, criteria, limits; frozen once loaded."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fenzhi.policy.models import Deviation, Grouping, Meta, Policy, Scope, Trim, Weights


def band(name, above, upto=None, above_included=False, upto_included=True):
    return {
        "name": name,
        "above": above,
        "upto": upto,
        "above_included": above_included,
        "upto_included": upto_included,
        "points": "normal",
    }


def wrong(build, match):
    with pytest.raises(ValidationError, match=match):
        build()


# ---- bands --------------------------------------------------------------------------------------------------------


def test_bands_that_meet_are_taken():
    deviation = Deviation.model_validate(
        {"bands": [band("low", 0, "0.5", upto_included=False), band("normal", "0.5", above_included=True)]}
    )
    assert [(b.above, b.upto) for b in deviation.bands] == [(0, Decimal("0.5")), (Decimal("0.5"), None)]


@pytest.mark.parametrize(
    ("bands", "match"),
    [
        ([], "at least one band"),
        ([band("a", "0.1")], "band 'a' must begin at 0"),
        ([band("a", 0, 2), band("b", 3)], "gap between bands 'a' and 'b'"),
        ([band("a", 0, 3), band("b", 2)], "bands 'a' and 'b' overlap"),
        ([band("a", 0), band("b", 2)], "bands 'a' and 'b' overlap"),
        ([band("a", 0, 2), band("b", 2, above_included=True)], "the limit 2 must belong to one .*, not both"),
        (
            [band("a", 0, 2, upto_included=False), band("b", 2)],
            "the limit 2 must belong to one .*, not neither",
        ),
        ([band("a", 0, 2)], "the last band 'a' must be open above"),
        ([band("a", 0, 2), band("a", 2)], "two bands have the same name"),
        ([band("a", -1)], "greater than or equal to 0"),
        ([band("a", 0, "0.00001"), band("b", "0.00001")], "decimal"),
    ],
)
def test_bands_that_leave_a_ratio_undecided_are_refused(bands, match):
    wrong(lambda: Deviation.model_validate({"bands": bands}), match)


@given(
    limits=st.lists(st.integers(1, 99_999), min_size=1, max_size=6, unique=True).map(sorted),
    included=st.lists(st.booleans(), min_size=6, max_size=6),
    ratio=st.integers(1, 120_000),
)
def test_accepted_bands_hold_every_ratio_exactly_once(limits, included, ratio):
    edges = [Decimal(limit) / 10_000 for limit in limits]
    bands = []
    for at, (above, upto) in enumerate(zip([Decimal(0), *edges], [*edges, None], strict=True)):
        below = at > 0 and not included[at - 1]
        bands.append(band(f"b{at}", above, upto, below, included[at] if upto is not None else True))
    value = Decimal(ratio) / 10_000
    holding = [
        b
        for b in Deviation.model_validate({"bands": bands}).bands
        if (value > b.above or (b.above_included and value == b.above))
        and (b.upto is None or value < b.upto or (b.upto_included and value == b.upto))
    ]
    assert len(holding) == 1


# ---- other sections -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"precedence": ["layer", "layer"]}, "lists a criterion twice"),
        ({"precedence": ["closest_cost", "layer"]}, "must not begin with closest_cost"),
        ({"precedence": ["layer", "class_order"]}, "class_order needs"),
        ({"class_order": ["core-surgery"]}, "class_order needs"),
        ({"precedence": ["alphabet"]}, "precedence"),
    ],
)
def test_grouping_refuses(given, match):
    wrong(lambda: Grouping.model_validate(given), match)


def test_grouping_takes_a_class_order_with_its_criterion():
    given = {"precedence": ["class_order", "closest_cost"], "class_order": ["core-surgery"]}
    assert Grouping.model_validate(given).class_order == ("core-surgery",)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"low": "0.5", "high": "0.5"}, "low must be smaller than high"),
        ({"low": "-0.1"}, "between 0 and 1"),
        ({"high": "1.1"}, "between 0 and 1"),
        ({"method": "mean_sd", "k": 0}, "greater than 0"),
        ({"min_cases": 0}, "greater than or equal to 1"),
    ],
)
def test_trim_refuses(given, match):
    wrong(lambda: Trim.model_validate(given), match)


def test_trim_by_factor_may_go_beyond_one():
    assert Trim.model_validate({"method": "factor", "low": "0.5", "high": 2}).high == 2


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"method": "benchmark"}, "needs benchmark_group"),
        ({"method": "standard_amount"}, "needs standard_yuan"),
        ({"year_weights": [1, 0]}, "greater than or equal to 1"),
        ({"related_cost_share": "1.5"}, "less than or equal to 1"),
    ],
)
def test_weights_refuse(given, match):
    wrong(lambda: Weights.model_validate(given), match)


@pytest.mark.parametrize("name", ["Jiujiang 2025", "九江", "-x", ""])
def test_the_id_of_a_pack_is_plain(name):
    wrong(lambda: Meta(id=name, title="t", scheme="dip", version="1"), "id")


def test_a_loaded_pack_cannot_be_changed():
    meta = {"id": "p", "title": "t", "scheme": "dip", "version": "1"}
    policy = Policy.model_validate({"meta": meta, "deviation": {"bands": [band("all", 0)]}})
    with pytest.raises(ValidationError, match="frozen"):
        policy.points = policy.points
    with pytest.raises(ValidationError, match="frozen"):
        policy.points.decimals = 2


def test_lengths_of_stay_of_the_scope():
    assert Scope().cost == "total_minus_paid_apart"
    assert (Scope().min_los_days, Scope().max_los_days) == (None, None)
