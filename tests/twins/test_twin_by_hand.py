"""The twins themselves, against numbers worked by hand."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from pathlib import Path

import pytest

from twins.codes import FOUR, FULL, NO_MATCH, RANGE, THREE, TwinCatalog, diagnosis_match, operation_matches
from twins.exact import half_up, split
from twins.grouping import assignable, effective_operations, group_stay
from twins.points import base_points, deviate, pick_band, score
from twins.pricing import parts_of_fund, price_pool, value_of
from twins.rules import band, base_rules
from twins.settlement import month_of, withheld, working_capital
from twins.sharing import quarters, released, share_pool, shared
from twins.values import favourable, middle, opening_values
from twins.weights import coefficient_of_variation, kept, quantile, weigh, weighted_mean
from twins.year import run_year

GROUPING = base_rules()["grouping"]


def row(group_id, layer="basic", main_diag=None, treatment="conservative", **cells):
    names = ("main_oprn", "related_oprn", "other_diag", "any_diag", "age_days_max")
    empty = dict.fromkeys((*names, "birth_weight_min_g", "birth_weight_max_g"))
    head = {"group_id": group_id, "layer": layer, "main_diag": main_diag, "treatment": treatment}
    return {**empty, "grassroots": False, **head, **cells}


LAYERS = ["pregroup", "merged", "assisted", "basic", "comprehensive"]
CATALOG = TwinCatalog(
    layers=LAYERS,
    groups=[
        row("XQ-1", "pregroup", "P07", "any", age_days_max=28, birth_weight_max_g=999),
        row("XQ-2", "pregroup", None, "any_operation", main_oprn="37.5100"),
        row("BX-1", "merged", "K35", "operation", main_oprn="47.0100", related_oprn="54.5100|54.1900"),
        row("BX-2", "merged", "I20-I25", "operation", main_oprn="36.0700+00.6600"),
        row("FZ-1", "assisted", "Z51.1", "any_operation", main_oprn="99.2503", other_diag="C00-C75"),
        row("FZ-2", "assisted", "A15.1", "conservative", any_diag="@RESISTANT"),
        row("JC-1", main_diag="K35.8"),
        row("JC-2", main_diag="K35.8", treatment="operation", main_oprn="47.0100|47.0900"),
        row("JC-3", main_diag="K35.800x001", treatment="operation", main_oprn="47.0100"),
        row("JC-4", main_diag="Z51.1", treatment="operation", main_oprn="99.2800x005"),
        row("K35-1", "comprehensive", "K35", "medical"),
        row("K35-2", "comprehensive", "K35", "diagnostic"),
        row("K35-4", "comprehensive", "K35", "surgery"),
    ],
    code_sets={"RESISTANT": ["U84.300", "U84.3"]},
    operations={"47.1100": "surgery", "45.2300": "diagnostic", "47.0100": "surgery"},
    exclusions=[
        {"kind": "diagnosis", "code": "K35.900"},
        {"kind": "cannot_be_main", "code": "54.5100"},
        {"kind": "as_conservative", "code": "96.0700"},
        {"kind": "main_within", "code": "45.2300", "within": "K35.8|K36"},
    ],
)


def stay(diags, oprns="", **values):
    codes = {"diag_codes": diags.split(), "oprn_codes": oprns.split()}
    return {"age": 40, "nwb_age": None, "nwb_bir_wt": None, "cost_fen": 0, **codes, **values}


@pytest.mark.parametrize(
    ("case", "group_id"),
    [
        (stay("K35.800"), "JC-1"),
        (stay("K35.800", "47.0100"), "JC-2"),
        (stay("K35.800x001", "47.0100"), "JC-3"),  # the full code is more specific
        (stay("K35.800", "47.0100 54.5100"), "BX-1"),  # the merged layer comes first
        (stay("K35.800", "54.5100 47.0100"), "BX-1"),  # cannot be main, stays as related
        (stay("K35.800", "54.5100"), "JC-1"),  # nothing can be main: conservative
        (stay("K35.800", "96.0700 47.0100"), "JC-1"),  # the whole stay is conservative
        (stay("K35.800", "47.0100 96.0700"), "JC-2"),
        (stay("K35.300", "45.2300"), "K35-1"),  # outside its range: as without operation
        (stay("K35.800", "45.2300"), "K35-2"),
        (stay("K35.300", "47.1100"), "K35-4"),
        (stay("K35.300", "47.1200"), "K35-1"),  # unknown kind: conservative
        (stay("I25.100", "00.6600 36.0700"), "BX-2"),
        (stay("I25.100", "36.0700 36.0700"), None),
        (stay("Z51.100 C34.900", "99.2503"), "FZ-1"),
        (stay("Z51.100 C80.x00", "99.2503"), None),
        (stay("Z51.100", "99.2800"), "JC-4"),  # the bare base serves a token with extension
        (stay("Z51.100", "99.2800x005"), "JC-4"),
        (stay("Z51.100", "99.2800x006"), None),
        (stay("A15.100 U84.300"), "FZ-2"),
        (stay("A15.100"), None),
        (stay("P07.000", age=0, nwb_age=28, nwb_bir_wt=999), "XQ-1"),
        (stay("P07.000", age=0, nwb_age=29, nwb_bir_wt=999), None),
        (stay("P07.000", age=0, nwb_age=28, nwb_bir_wt=1000), None),
        (stay("P07.000", age=0, nwb_age=None, nwb_bir_wt=900), None),
        (stay("P07.000", age=0, nwb_age=3), None),
        (stay("E11.900", "47.1100 37.5100"), "XQ-2"),
    ],
)
def test_a_stay_finds_the_group_worked_by_hand(case, group_id):
    outcome, layer, found, reason = group_stay(case, CATALOG, GROUPING)
    assert found == group_id
    if group_id is None:
        assert (outcome, layer, reason) == ("ungrouped", None, "no_group")
    else:
        assert outcome == ("comprehensive" if layer == "comprehensive" else "grouped")


def test_an_excluded_principal_diagnosis_is_ungrouped_by_full_code_or_prefix():
    assert group_stay(stay("K35.900"), CATALOG, GROUPING)[3] == "excluded_diagnosis"
    assert group_stay(stay("K35.900x002"), CATALOG, GROUPING)[2] == "K35-1"
    prefix = {**GROUPING, "excluded_diagnosis_match": "prefix"}
    assert group_stay(stay("K35.900x002"), CATALOG, prefix)[3] == "excluded_diagnosis"


def test_the_highest_kind_counts_all_operations():
    both = stay("K35.800x009", "45.2300 47.1100")
    assert group_stay(both, CATALOG, GROUPING)[2] == "K35-2"
    assert group_stay(both, CATALOG, {**GROUPING, "comprehensive_type": "highest"})[2] == "K35-4"


def test_precedence_can_be_turned_around():
    case = stay("K35.800x001", "47.0100 54.5100")
    assert group_stay(case, CATALOG, GROUPING)[2] == "BX-1"
    exact_first = {**GROUPING, "precedence": ["diagnosis_specificity", "layer"]}
    assert group_stay(case, CATALOG, exact_first)[2] == "JC-3"
    weights = {"BX-1": {"rw_e4": 5}, "JC-2": {"rw_e4": 9}, "JC-3": {"rw_e4": 7}}
    by_weight = {**GROUPING, "precedence": ["higher_weight"]}
    assert group_stay(case, CATALOG, by_weight, weights)[2] == "JC-2"
    means = {"BX-1": {"mean_cost_fen": 100}, "JC-2": {"mean_cost_fen": 70}, "JC-3": {"mean_cost_fen": 20}}
    by_cost = {**GROUPING, "precedence": ["closest_cost"]}
    assert group_stay({**case, "cost_fen": 60}, CATALOG, by_cost, means)[2] == "JC-2"
    classes = ["comprehensive-surgery", "core-surgery"]
    by_class = {**GROUPING, "precedence": ["class_order", "layer"], "class_order": classes}
    assert group_stay(case, CATALOG, by_class)[2] == "K35-4"


def test_codes_match_as_the_rules_say():
    assert diagnosis_match("K35.8", "K35.800x001") == FOUR
    assert diagnosis_match("K35", "K35.800") == THREE
    assert diagnosis_match("K35.800", "K35.800") == FULL
    assert diagnosis_match("K35.800", "K35.800x001") == NO_MATCH
    assert diagnosis_match("I20-I25", "I25.100") == RANGE
    assert diagnosis_match("I20-I25", "I26.000") == NO_MATCH
    assert operation_matches("99.2800", "99.2800x005")
    assert operation_matches("33.6x00", "33.6x00x001")
    assert not operation_matches("33.6x00", "33.6000")
    assert not operation_matches("99.2800x005", "99.2800x006")


def test_one_operation_serves_one_term():
    assert assignable(("99.2800", "99.2800x005"), ["99.2800x005", "99.2800x006"])
    assert not assignable(("99.2800", "99.2800x005"), ["99.2800x005"])
    assert not assignable(("99.2800x006", "99.2800x005"), ["99.2800x005", "99.2800x001"])


def test_dialects_read_a_cell_differently():
    assert CATALOG.and_sets("A|B+C") == [("A",), ("B", "C")]
    factors = TwinCatalog(groups=[], layers=[], form="and_of_ors", or_="/")
    assert factors.and_sets("A/B+C") == [("A", "C"), ("B", "C")]
    assert TwinCatalog(groups=[], layers=[], form="all", and_=",").and_sets("A,B") == [("A", "B")]


def test_operations_in_other_positions_are_dropped():
    left = effective_operations(stay("K36.x00", "54.5100 47.0100 96.0700 45.2300"), CATALOG)
    assert left.codes == ("54.5100", "47.0100", "45.2300")
    assert left.main == 1
    outside = effective_operations(stay("I10.x00", "47.0100 45.2300"), CATALOG)
    assert outside.codes == ("47.0100",)


def test_halves_go_up_and_remainders_to_the_smaller_key():
    assert [half_up(Fraction(n, 2)) for n in (-3, -1, 1, 3)] == [-1, 0, 1, 2]
    assert half_up(Fraction(25), 10) == 30
    assert split(10, {"a": 1, "b": 1, "c": 1}) == {"a": 4, "b": 3, "c": 3}
    assert split(-10, {"a": 1, "b": 1, "c": 1}) == {"a": -4, "b": -3, "c": -3}
    assert split(2, {"b": 1, "a": 1, "c": 1}) == {"a": 1, "b": 1, "c": 0}


NATIONAL_10 = [
    band("low", "0", "0.5", "ratio"),
    band("normal", "0.5", "2", "normal", "above upto"),
    band("high", "2", "5", "excess", "upto"),
    band("extreme", "5", None, "review"),
]
JINING = [
    band("low", "0", "0.5", "ratio_without_coefficient", "upto"),
    band("normal", "0.5", "2", "normal", "upto"),
    band("high", "2", "5", "excess_plus_coefficient", "upto"),
    band("extreme", "5", None, "normal"),
]
YUAN = (4_999, 5_000, 5_001, 20_000, 20_001, 25_000, 50_000, 50_001)


@pytest.mark.parametrize(
    ("bands", "h_e4", "points"),
    [
        (NATIONAL_10, 10_000, ("49.99", "100", "100", "100", "100.01", "150", "400", "100")),
        (JINING, 11_000, ("49.99", "50", "110", "110", "110.01", "160", "410", "110")),
    ],
)
def test_deviation_gives_the_printed_points(bands, h_e4, points):
    for yuan, expected in zip(YUAN, points, strict=True):
        one = pick_band(Fraction(yuan, 10_000), bands)
        assert deviate(1_000_000, h_e4, yuan * 100, one, 1_000_000) == Fraction(expected) * 10_000


def test_the_payment_standard_is_points_times_opening_value():
    weights = {
        "groups": {"G": {"rw_e4": 1_000_000, "mean_cost_fen": 1}},
        "coefficients": {"H": 11_000},
        "newest_means": {},
        "level_means": {},
    }
    bands = [band("low", "0", "0.5", "actual_cost"), band("rest", "0.5", None, "normal", "above")]
    standard = {"test_reference": "payment_standard", "factor_reference": "payment_standard", "bands": bands}
    rules = base_rules(deviation=standard)
    hospital = {"fixmedins_code": "H", "level": "3"}
    # 110 points x 90.00 yuan = 9,900 yuan; 4,500 yuan is 45.4545 % of it: 110 x 0.454545 = 50 points
    low = score("G", 450_000, hospital, False, 900_000, weights, rules)
    assert (low["reference_fen"], low["deviation"], low["points_e4"]) == (990_000, "low", 500_000)
    plain = score("G", 450_000, hospital, True, 900_000, weights, rules)
    assert (plain["coefficient_e4"], plain["points_e4"]) == (10_000, 1_000_000)  # 4,500 of 9,000: normal
    without = score("G", 450_000, hospital, False, None, weights, rules)
    assert (without["deviation"], without["points_e4"]) == (None, 1_100_000)


YEARS = [2024, 2025, 2026]


def test_means_of_three_years():
    costs = {2024: [900_000], 2025: [1_000_000], 2026: [1_100_000]}
    settings = base_rules()["weights"]
    assert weighted_mean(costs, YEARS, settings) == 1_060_000
    # a year without stays is left out, the weights of the others count: (1 x 9,000 + 7 x 11,000) / 8
    assert weighted_mean({2024: [900_000], 2026: [1_100_000]}, YEARS, settings) == 1_075_000
    many = {2024: [900_000] * 3, 2026: [1_100_000]}
    assert weighted_mean(many, YEARS, {**settings, "pooling": "cases"}) == Fraction(10_400_000, 10)


def test_trimming():
    assert quantile([10, 20, 30, 40], Fraction(1, 2)) == 25
    assert quantile([10, 20, 30, 40], Fraction(1)) == 40
    percentile = {"method": "percentile", "low": "0.1", "high": "0.9", "min_cases": 11, "k": "1"}
    eleven = {2025: [1, 2, 3, 4, 5], 2026: [6, 7, 8, 9, 10, 11]}
    assert kept(eleven, percentile) == {2025: [2, 3, 4, 5], 2026: [6, 7, 8, 9, 10]}  # bounds 2 and 10 stay
    assert kept(eleven, {**percentile, "min_cases": 12}) == eleven
    # mean 6, variance 10: 1 SD keeps 2.84 to 9.16
    sd = kept(eleven, {**percentile, "method": "mean_sd"})
    assert sd == {2025: [3, 4, 5], 2026: [6, 7, 8, 9]}
    factor = {**percentile, "method": "factor", "low": "0.5", "high": "1.5"}
    assert kept(eleven, factor) == {2025: [3, 4, 5], 2026: [6, 7, 8, 9]}


def test_variation_as_printed():
    assert coefficient_of_variation([1_000] * 9 + [20_000]) == pytest.approx(1.9655, abs=5e-5)
    assert coefficient_of_variation(list(range(5_000, 6_000, 100))) == pytest.approx(0.0527, abs=5e-5)


HOSPITALS = [
    {"fixmedins_code": "H1", "level": "3", "type": "general", "coefficient_e4": None},
    {"fixmedins_code": "H2", "level": "1", "type": "general", "coefficient_e4": None},
    {"fixmedins_code": "H3", "level": "2", "type": "tcm", "coefficient_e4": None},
    {"fixmedins_code": "H4", "level": "1", "type": "general", "coefficient_e4": 9_000},
]


def past(year, cost, group_id, code):
    return {"year": year, "cost_fen": cost, "group_id": group_id, "fixmedins_code": code}


def test_weights_and_coefficients_of_a_small_history():
    history = [
        past(2026, 1_500, "A", "H1"),
        past(2026, 500, "A", "H2"),
        past(2026, 1_000, None, "H1"),
    ]
    weights = weigh(history, ["A", "B"], HOSPITALS, base_rules())
    assert weights["mean_all"] == 1_000
    assert weights["groups"]["A"]["rw_e4"] == 10_000_000
    assert weights["groups"]["B"]["rw_e4"] is None
    assert weights["level_means"] == {("A", "3"): 1_500, ("A", "1"): 500}
    assert weights["newest_means"] == {"A": 1_000}
    # level 3: mean 1,250; level 1: 500; H3 has no history; H4 is given
    assert weights["coefficients"] == {"H1": 12_500, "H2": 5_000, "H3": 10_000, "H4": 9_000}
    bounded = base_rules(coefficients={"floor": "0.8", "cap": "1.2"})
    assert weigh(history, ["A"], HOSPITALS, bounded)["coefficients"]["H1"] == 12_000
    assert weigh(history, ["A"], HOSPITALS, bounded)["coefficients"]["H2"] == 8_000
    standard = base_rules(weights={"method": "standard_amount", "standard_yuan": "30", "scale": 1})
    assert weigh(history, ["A"], HOSPITALS, standard)["groups"]["A"]["rw_e4"] == 3_333


def test_an_ungrouped_stay_gets_a_share_of_its_cost():
    weights = {"mean_all": Fraction(1_000)}
    # 2,000 / 1,000 x 1,000 x 0.7 = 1,400 points
    assert base_points(None, 2_000, 1, False, weights, base_rules())["points_base_e4"] == 14_000_000
    nothing = base_rules(ungrouped={"rule": "none"})
    assert base_points(None, 2_000, 1, False, weights, nothing)["points_base_e4"] == 0


def floating_value(money, ratio, points, rules):
    value, limit = value_of(money, points, 0, None, ratio, 0, rules)
    assert limit is None
    return value


def test_point_values_as_printed():
    # fund 800,000,000 yuan at a payment ratio of 0.70 over 120,000,000 points
    value = floating_value(80_000_000_000, Fraction(7, 10), 120_000_000 * 10_000, base_rules())
    assert value == 95_238
    # 5,364,931,772.57 / 674,366 = 7,955.52
    cents = base_rules(point_value={"decimals": 2})
    assert floating_value(536_493_177_257, Fraction(1), 674_366 * 10_000, cents) == 79_555_200


def test_an_elastic_value_and_its_bounds():
    # 10 points, 8 of them fixed at 100.00: 1,000.00 - 800.00 leaves 200.00 for 2 points: 100.00
    def rules(**more):
        elastic = {"form": "base_volume", "base": "this_year", "base_share": "0.8", "severe_from": None}
        return base_rules(point_value={"rate": "elastic", "elastic": elastic, **more})

    def value(money, more_in_reserve=0, **more):
        return value_of(money, 100_000, 80_000, 1_000_000, Fraction(1), more_in_reserve, rules(**more))

    assert value(100_000) == (1_000_000, None)
    # 900.00: 100.00 left for 2 points, 50.00; the floor 0.9 x 100.00 = 90.00 takes 80.00 out of the reserve
    assert value(90_000) == (500_000, None)
    assert value(90_000, 8_000, floor="0.9") == (900_000, "floor")
    # a reserve of 70.00: (900 + 70 - 800) / 2 = 85.00
    assert value(90_000, 7_000, floor="0.9") == (850_000, "reserve")
    # 1,300.00: 250.00 a point, at most 1.2 x 100.00
    assert value(130_000, ceiling="1.2") == (1_200_000, "ceiling")
    # the exact value is compared: 1,040.00 + 0.01 leave 120.005 a point, which is above 120.00 though it rounds to it;
    # 980.00 - 0.01 leave 89.995, which is below 90.00
    assert value(104_000, ceiling="1.2", decimals=2) == (1_200_000, None)
    assert value(104_001, ceiling="1.2", decimals=1) == (1_200_000, "ceiling")
    assert value(98_000, floor="0.9", decimals=1) == (900_000, None)
    assert value(97_999, 1, floor="0.9", decimals=1) == (900_000, "floor")
    # 700.00 do not even pay the fixed points
    assert value(70_000) == (0, "zero")
    assert value_of(1, 10, 10, 1_000_000, Fraction(1), 0, rules()) == (1_000_000, "fixed")


def test_a_fund_is_split_over_periods():
    def part(points, booked):
        return [{"points_e4": points, "booked_fen": booked}]

    quarters_ = [part(1, 100), part(1, 300), part(0, 600), part(1, 0)]
    rules = base_rules(point_value={"period": "quarter", "period_split": "booked"})
    assert parts_of_fund(1_001, quarters_, rules) == [250, 751, 0, 0]  # 250.25 and 750.75
    rules["point_value"]["period_split"] = "equal"
    assert parts_of_fund(1_001, quarters_, rules) == [334, 334, 0, 333]


def test_favourable_hospitals():
    # cost per point 8, 10, 15 yuan and of all 1,020 / 100 = 10.2; cost per stay 16, 50, 52 and of all 34
    sums = [(32_000, 400_000, 20), (40_000, 400_000, 8), (30_000, 200_000, 2)]
    assert favourable(sums, False) == Fraction(72_000, 800_000)
    # only the first lies below in both
    assert favourable(sums, True) == Fraction(32_000, 400_000)


def test_the_middle_of_places():
    def at(*pairs):
        return [(Fraction(x), Fraction(y)) for x, y in pairs]

    assert middle(at((1, 2), (3, 4))) == 2
    assert middle(at((0, 0), (1, 1), (5, 5))) == 1
    # the corners of a square and its middle
    assert abs(middle(at((0, 0), (0, 2), (2, 0), (2, 2))) - 1) < Fraction(1, 10**9)
    # an angle of 120 degrees or more: the corner itself
    assert abs(middle(at((0, 0), (1, Fraction(1, 10)), (-1, Fraction(1, 10)))) - 0) < Fraction(1, 10**6)


def tier(above, upto, share, base="part"):
    return {
        "above": above,
        "upto": upto,
        "share": share,
        "base": base,
        "above_included": False,
        "upto_included": True,
    }


def test_what_tiers_share():
    surplus = [tier("0", "0.8", "0"), tier("0.8", "1", "1")]
    # payable 1,000, booked 700: of the surplus of 300 the part from 0.8 on, 200, is kept
    assert shared(surplus, 1_000, 700) == 200
    assert shared(surplus, 1_000, 900) == 100
    overrun = [tier("1", "1.1", "0.7"), tier("1.1", None, "0")]
    # booked 1,080: 0.7 x 80; booked 1,300: 0.7 x 100
    assert shared(overrun, 1_000, 1_080) == 56
    assert shared(overrun, 1_000, 1_300) == 70
    whole = [tier("1", "1.1", "0.7", "whole"), tier("1.1", None, "0.1", "whole")]
    assert shared(whole, 1_000, 1_100) == 70
    assert shared(whole, 1_000, 1_101) == 10  # 10.1


def test_a_reserve_that_does_not_suffice_is_split():
    rules = base_rules(sharing={"surplus": [], "overrun": [tier("1", None, "0.5")]})
    common = {"assessed_fen": 0, "deduction_fen": 0, "fine_fen": 0}
    lines = {
        "H1": {"payable_fen": 1_000, "booked_fen": 1_200, **common},
        "H2": {"payable_fen": 1_000, "booked_fen": 1_100, **common},
        "H3": {"payable_fen": 1_000, "booked_fen": 900, **common},
    }
    # asked 100 and 50, 91 are there: 60.67 and 30.33
    share_pool(lines, 91, rules)
    assert [line["shared_fen"] for line in lines.values()] == [61, 30, 0]
    assert [line["short_fen"] for line in lines.values()] == [39, 20, 0]
    assert [line["final_fen"] for line in lines.values()] == [1_061, 1_030, 1_000]


def test_deposit_and_quarters():
    assert released(1_000, 9_500, base_rules()) == 950
    assert released(1_000, 10_500, base_rules()) == 1_000
    month = {"due_fen": 100, "advance_fen": 90, "deposit_fen": 5, "deduction_fen": 2}
    months = {number: dict(month) for number in range(1, 13)}
    months[5]["deduction_fen"] = 200
    quarters(months, base_rules(settlement={"clearing": "quarter"}))
    assert [months[number]["quarter_fen"] for number in (1, 3, 6, 9, 12)] == [0, 9, 0, 9, 9]


def test_opening_values_fall_back():
    pools = [{"id": p, "opening_value_e4": v} for p, v in (("a", None), ("b", None), ("c", 42))]
    history = [
        {"pool": "a", "year": 2025, "cost_fen": 1_000, "points_base_e4": 10_000},
        {"pool": "a", "year": 2026, "cost_fen": 3_000, "points_base_e4": 20_000},
    ]
    # (2 x 10 + 7 x 30) / (2 x 1 + 7 x 2) = 230 / 16 = 14.375
    assert opening_values(history, pools, [2025, 2026], base_rules()) == {"a": 143_750, "b": 143_750, "c": 42}


def paid(setl_id, code, points, cost=0, booked=0):
    values = {"points_e4": points, "cost_fen": cost, "booked_fen": booked, "fixed_points_e4": 0, "period": 0}
    return {"setl_id": setl_id, "fixmedins_code": code, "direct_fen": None, **values}


def test_the_fund_is_split_over_hospitals_and_stays():
    stays = [paid("s1", "H1", 10_000), paid("s2", "H1", 10_000), paid("s3", "H2", 10_000)]
    result = price_pool(stays, 100, 0, None, base_rules())
    assert result["gross"] == {"H1": 67, "H2": 33}
    assert result["stays"] == {"s1": 34, "s2": 33, "s3": 33}
    assert result["residual"] == 0
    reserve = base_rules(settlement={"residual": "reserve"}, point_value={"decimals": 2})
    # 0.33 yuan a point: 66 and 33 fen, one fen is left
    result = price_pool(stays, 100, 0, None, reserve)
    assert (result["gross"], result["residual"]) == ({"H1": 66, "H2": 33}, 1)


def test_difference_takes_off_what_others_paid():
    stays = [paid("s1", "H1", 10_000, 60, 50), paid("s2", "H2", 30_000, 100, 70)]
    difference = base_rules(point_value={"settlement": "difference"})
    # fund 120 + 40 paid by others = 160, one quarter and three quarters, minus 10 and 30
    result = price_pool(stays, 120, 0, None, difference)
    assert result["gross"] == {"H1": 30, "H2": 90}
    assert result["stays"] == {"s1": 30, "s2": 90}


def test_no_points_leave_the_fund_to_the_reserve():
    result = price_pool([paid("s1", "H1", 0, 60, 50)], 120, 0, None, base_rules())
    assert (result["gross"], result["residual"]) == ({"H1": 0}, 120)


def test_from_gross_to_clearing():
    assert withheld(1_001, 9_850) == 15  # 985.985 -> 986
    assert withheld(-1_001, 9_850) == 0
    assert working_capital(1_206, base_rules()) == 101  # 100.5
    stays = [paid("s1", "H1", 20_000, 500, 400)]
    # 2 points x 3.50 = 700 fen, minus 100 paid by others = 600 due; 90 % = 540, minus 41
    month = month_of(stays, 35_000, 41, base_rules())
    assert (month["due_fen"], month["advance_fen"]) == (600, 499)
    assert month_of(stays, 35_000, 541, base_rules())["advance_fen"] == 0


def test_a_whole_year_by_hand():
    common = {"insu_admdvs": None, "act_ipt_days": 5, "med_type": "21", "excl_pay_sumamt_fen": None}

    def full(setl_id, code, when, cost, booked, diags, insutype="310"):
        money = {"medfee_sumamt_fen": cost, "hifp_pay_fen": booked}
        key = {"setl_id": setl_id, "fixmedins_code": code, "insutype": insutype, "dscg_time": when}
        return {**stay(diags), **common, **key, **money}

    region = {
        "area": "990100",
        "year": 2027,
        "history_years": [2026],
        "advances": None,
        "pools": [{"id": "p", "insutype": ["310"], "areas": "local", "opening_value_e4": None}],
        "hospitals": HOSPITALS[:2],
        "funds": {"p": 10_000},
        "deductions": [{"fixmedins_code": "H1", "pool": "p", "month": 3, "amount_fen": 100}],
        "assessment": {"H1": 9_000},
    }
    history = [
        full("h1", "H1", datetime(2026, 5, 1), 15_000, 12_000, "K35.800"),
        full("h2", "H2", datetime(2026, 5, 1), 5_000, 1_200, "K35.800"),
    ]
    records = [
        full("r1", "H1", datetime(2027, 3, 9), 20_000, 10_000, "K35.800"),
        full("r2", "H2", datetime(2027, 4, 9), 5_000, 2_500, "K35.800"),
        full("r3", "H2", datetime(2027, 4, 9), 5_000, 2_500, "K35.800", None),
        full("r4", "H2", datetime(2027, 4, 9), 5_000, 2_500, "E11.900", "390"),
    ]
    result = run_year(history, records, region, CATALOG, base_rules())
    # M = m = 10,000 fen: RW 1,000; coefficients 1.5 and 0.5, so points 1,500 and 500
    cases = {case["setl_id"]: case for case in result["cases"]}
    assert [cases[s].get("points_e4") for s in ("r1", "r2")] == [15_000_000, 5_000_000]
    assert [cases[s]["reason"] for s in ("r3", "r4")] == ["self_paying", "no_pool"]
    # opening 200.00 / 2,000 = 0.1; settlement (100 / 0.5) / 2,000 = 0.1
    pool = result["pools"]["p"]
    assert (pool["opening_value_e4"], pool["settlement_value_e4"]) == (1_000, 1_000)
    assert result["months"]["H1", "p", 3]["due_fen"] == 5_000  # 150 yuan - 100 paid by others
    assert result["months"]["H1", "p", 3]["advance_fen"] == 4_400
    line = result["hospitals"]["H1", "p"]
    assert (line["gross_fen"], line["assessed_fen"], line["payable_fen"]) == (7_500, 750, 6_650)
    assert (line["working_capital_fen"], line["advance_fen"], line["clearing_fen"]) == (1_000, 4_400, 1_250)
    assert cases["r1"]["payable_fen"] == 7_500


TWINS = (
    *("codes", "exact", "grouping", "points", "pricing", "rules", "settlement"),
    *("sharing", "values", "weights", "year"),
)


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_knows_nothing_of_the_engine(name):
    text = (Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8")
    imported = {
        line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("from ", "import "))
    }
    assert not imported & {"fenzhi", "polars", "numpy", "numba"}
