"""What-ifs on the small region of tests/golden, whose points are worked out by hand there."""

from __future__ import annotations

import polars as pl
import pytest

from fenzhi.attribution import CAUSES, cause
from fenzhi.errors import RegionError
from fenzhi.pipeline import run
from fenzhi.pipeline.year import compute
from fenzhi.region import load_region
from fenzhi.simulation import load_simulation, read_scenario, scenario_of
from fenzhi.simulation.choose import chosen, order_numbers
from fenzhi.simulation.write import statable
from golden.small_region import write_region

TABLES = ("hospitals", "months", "pools", "budget", "ledger")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_region(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def year(folder):
    return load_simulation(folder)


def own(outcome, pool):
    return outcome.own.filter(pl.col("pool") == pool).row(0, named=True)


def test_no_change_is_the_run(folder, year):
    tables = run(folder, reports=False).tables
    outcome = year.run(scenario_of({"hospital": "H1"}))
    for name in TABLES:
        assert year.before.tables[name].equals(tables[name], null_equal=True)
        assert outcome.after.tables[name].equals(tables[name], null_equal=True)
    assert outcome.accounts["difference_fen"].sum() == 0
    paid = tables["cases"].filter(pl.col("payable_fen").is_not_null()).sort("setl_id")
    columns = ["setl_id", "points_e4", "payable_fen"]
    assert year.before.stays().sort("setl_id").select(columns).equals(paid.select(columns))


def test_what_is_kept_gives_the_same(folder, year):
    again = load_simulation(folder)
    assert (folder / "simulation").is_dir()
    assert again.base.stays.equals(year.base.stays)
    outcome = again.run(scenario_of({"hospital": "H2", "volume": [{"growth": "-1"}]}))
    assert outcome.accounts.equals(
        year.run(scenario_of({"hospital": "H2", "volume": [{"growth": "-1"}]})).accounts
    )


def test_another_file_is_another_year(tmp_path):
    folder = write_region(tmp_path)
    before = load_simulation(folder).before.tables["pools"]
    budget = folder / "budget.toml"
    budget.write_text(budget.read_text("utf-8").replace('"30000"', '"40000"'), encoding="utf-8")
    after = load_simulation(folder).before.tables["pools"]
    assert (after["fund_fen"] - before["fund_fen"]).to_list() == [1_000_000, 0]
    assert len(list((folder / "simulation").iterdir())) == 1


def test_the_other_hospital_leaves(year):
    """Pool E has 25,000.01 for 7,210 points: H1 2,400 + 960 + 350 = 3,710, H2 1,750 + 1,750.

    25,000.01 x 3,710 / 7,210 = 12,864.08 (rest 0.29..), H2 the rest. Without H2's stays H1 has it all.
    """
    outcome = year.run(scenario_of({"hospital": "H1", "volume": [{"hospital": "H2", "growth": "-1"}]}))
    both = outcome.before.tables["hospitals"], outcome.after.tables["hospitals"]
    mine = [
        table.filter(pl.col("fixmedins_code") == "H1", pl.col("pool") == "E")["gross_fen"][0]
        for table in both
    ]
    assert mine == [1_286_408, 2_500_001]
    row = own(outcome, "E")
    assert row["stays_before"] == row["stays_after"] == 3
    # Nothing but the price of points, and the assessment of 0.99: 1,286,408 -> 1,273,544, 2,500,001 -> 2,475,001.
    assert row["by_price_fen"] == 2_500_001 - 1_286_408
    assert row["by_assessment_fen"] == -((2_500_001 - 2_475_001) - (1_286_408 - 1_273_544))
    assert row["difference_fen"] == 2_475_001 - 1_273_544


def test_a_coefficient(year):
    """H1 at 1 instead of 1.2: 2,000 + 800 + 350 = 3,150 points of 6,650; 25,000.01 x 3,150 / 6,650 = 11,842.11."""
    outcome = year.run(scenario_of({"hospital": "H1", "coefficient": [{"value": "1"}]}))
    row = own(outcome, "E")
    assert row["points_after_e4"] == 31_500_000
    assert outcome.after.tables["hospitals"].row(0, named=True)["gross_fen"] == 1_184_211
    # 1,286,408 x (2,000 + 2,000 + 350) / (2,400 + 2,400 + 350) = 1,086,577.6: the step of the coefficient.
    assert row["by_coefficient_fen"] == 1_086_578 - 1_286_408


@pytest.mark.parametrize(
    "said",
    [
        {"volume": [{"growth": "1"}]},
        {"volume": [{"group": "G1", "stays": -1}]},
        {"mix": [{"group": "G1", "to": "G3", "share": "0.5"}]},
        {"cost": [{"cost": "-0.5", "los_days": -1}], "coefficient": [{"value": "0.9"}]},
        {"move": [{"share": "0.4", "to_hospital": "H3"}]},
        {"move": [{"group": "G1", "share": "1", "track": "bed_day"}]},
        {"coding": [{"replace": {"K35.800": "K35.900"}}]},
        {"coding": [{"setl_ids": ["s05"], "replace": {"Z99.000": "J18.900"}}]},
        {"others": {"growth": "0.5"}},
        {"budget": [{"pool": "E", "line": "住院", "growth": "0.1"}]},
        {"policy": {"set": {"settlement": {"advance_ratio": "0.5"}}}},
        {"policy": {"set": {"coefficients": {"cap": "2"}}}, "volume": [{"growth": "1"}]},
    ],
    ids=lambda said: "+".join(said),
)
def test_a_scenario_is_a_run_on_its_region(year, tmp_path, said):
    scenario = scenario_of({"hospital": "H1", "name": "x", **said})
    outcome = year.run(scenario)
    year.write_region(scenario, tmp_path / "changed")
    tables, _ = compute(load_region(tmp_path / "changed"))
    for name in TABLES:
        assert outcome.after.tables[name].equals(tables[name], null_equal=True), name
    paid = tables["cases"].filter(pl.col("payable_fen").is_not_null())["payable_fen"].sum()
    assert outcome.after.stays()["payable_fen"].sum() == paid
    accounts = outcome.accounts
    assert (
        accounts.select(sum(pl.col(cause(name)) for name in CAUSES))
        .to_series()
        .equals(accounts["difference_fen"], check_names=False)
    )
    groups = outcome.groups
    gross = outcome.after.tables["hospitals"].filter(pl.col("fixmedins_code") == "H1")["gross_fen"].sum()
    assert groups["payable_after_fen"].sum() == gross
    steps = year.steps(scenario)
    assert [name for name, _ in steps] == [key for key in said if key != "name"] or len(said) > 1
    assert steps[-1][1].accounts.equals(accounts)


REFUSED = {
    'volume = [{growht = "0.1"}]': ("SCENARIO_VALUE", "nearest is 'growth'"),
    'volum = [{growth = "0.1"}]': ("SCENARIO_VALUE", "nearest is 'volume'"),
    "volume = [{growth = -1.5}]": ("SCENARIO_VALUE", "greater than or equal to -1"),
    "volume = [{stays = -99}]": ("SCENARIO_SENSE", "only 4 stays"),
    'volume = [{group = "G7", growth = 1}]': ("SCENARIO_SENSE", "no such group"),
    'volume = [{group = "G9", growth = 1}]': ("SCENARIO_SENSE", "has no stays of this kind"),
    'volume = [{department = "Z", growth = 1}]': ("SCENARIO_SENSE", "no dscg_caty"),
    'volume = [{hospital = "H7", growth = 1}]': ("SCENARIO_SENSE", "no such hospital"),
    'mix = [{group = "G1", to = "G3", share = 1.2}]': ("SCENARIO_VALUE", "less than or equal to 1"),
    'mix = [{group = "G1", to = "G1", share = 1}]': ("SCENARIO_SENSE", "the same group"),
    "cost = [{cost = -1}]": ("SCENARIO_VALUE", "greater than -1"),
    "cost = [{share = 0.5}]": ("SCENARIO_VALUE", "give cost, los_days or both"),
    'move = [{share = 0.5, track = "bed_days"}]': ("SCENARIO_SENSE", "nearest is 'bed_day'"),
    "move = [{share = 0.5}]": ("SCENARIO_VALUE", "one of them"),
    'move = [{share = 0.5, tcm = "T1"}]': ("SCENARIO_SENSE", "no such TCM-advantage group"),
    'coding = [{setl_ids = ["s99"], drop = ["X"]}]': ("SCENARIO_SENSE", "no stay of this id"),
    "coding = [{share = 0.5}]": ("SCENARIO_VALUE", "nothing is coded otherwise"),
    'review = [{setl_id = "s01", outcome = "refused"}]': ("SCENARIO_SENSE", "no special review"),
    'budget = [{pool = "X", line = "住院", amount = 1}]': ("SCENARIO_SENSE", "no such pool"),
    'budget = [{pool = "E", line = "风险准备", amount = 1}]': ("SCENARIO_SENSE", "nearest is '风险储备'"),
    'budget = [{pool = "E", line = "住院"}]': ("SCENARIO_VALUE", "amount or growth"),
    "others = {growth = -2}": ("SCENARIO_VALUE", "greater than or equal to -1"),
}


@pytest.mark.parametrize("text", list(REFUSED), ids=lambda text: text)
def test_what_makes_no_sense_is_refused_in_words(year, tmp_path, text):
    code, words = REFUSED[text]
    file = tmp_path / "S.toml"
    file.write_text(f'hospital = "H1"\nseed = 1\n{text}\n', encoding="utf-8")
    with pytest.raises(RegionError) as raised:
        year.run(read_scenario(file))
    assert raised.value.code == code
    assert words in raised.value.message
    assert raised.value.field
    if code == "SCENARIO_VALUE":
        assert raised.value.line == 3


def test_nobody_is_meant(year):
    with pytest.raises(RegionError, match="no hospital is named"):
        year.run(scenario_of({"volume": [{"growth": 1}]}))


def test_the_choice_depends_on_id_and_seed_alone():
    ids = pl.Series([f"s{n:03d}" for n in range(200)])
    one = dict(zip(ids, order_numbers(ids, 1), strict=True))
    # Longer ids beside them, another order: the same numbers.
    more = pl.concat([pl.Series(["a-very-long-id-beside-the-others"]), ids.reverse()])
    assert {key: value for key, value in zip(more, order_numbers(more, 1), strict=True) if key in one} == one
    assert order_numbers(ids, 1).n_unique() == 200
    assert order_numbers(ids, 2).to_list() != list(one.values())
    # Fixed for ever: what a scenario did yesterday it does tomorrow.
    texts = ["s001", "编号", "a-longer-one"]
    assert order_numbers(pl.Series(texts), 1).to_list() == [by_hand(text, 1) for text in texts]
    assert by_hand("s001", 1) == 4380423542664708585


def stirred(number):
    mask = 2**64 - 1
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & mask
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & mask
    return number ^ (number >> 31)


def by_hand(text, seed):
    """The same in plain Python: eight hexadecimal digits of the text a step."""
    mask, odd = 2**64 - 1, 0x9E3779B97F4A7C15
    digits, state = text.encode().hex(), stirred((seed + odd) & mask)
    for at in range(0, len(digits), 8):
        word = int.from_bytes(digits[at : at + 8].ljust(8, "0").encode(), "little")
        state = stirred((state + word * odd) & mask)
    return state


def test_groups_give_in_proportion():
    """Ten stays, 6 of A and 4 of B, five of them: 3 and 2. Three of them: 1.8 and 1.2, so 2 and 1."""
    stays = pl.DataFrame(
        {
            "setl_id": [f"s{n}" for n in range(10)],
            "fixmedins_code": ["H"] * 10,
            "pool": ["E"] * 10,
            "group_id": ["A"] * 6 + ["B"] * 4,
        }
    )
    for count, expected in ((5, [("A", 3), ("B", 2)]), (3, [("A", 2), ("B", 1)]), (10, [("A", 6), ("B", 4)])):
        found = chosen(stays, count, 7)["group_id"].value_counts().sort("group_id")
        assert found.rows() == expected


def test_a_doctor_and_a_department(tmp_path):
    """Stays of one doctor: s01 and s02 of three at H1 in pool E; nobody learns other doctors' codes."""
    folder = write_region(tmp_path)
    file = folder / "records" / "stays.csv"
    head, *rows = file.read_text("utf-8").splitlines()
    told = [f"{row},{'D1' if row.startswith(('s01', 's02')) else 'D2'},普通外科" for row in rows]
    file.write_text("\n".join([f"{head},chfpdr_code,dscg_caty", *told]) + "\n", encoding="utf-8")
    year = load_simulation(folder)
    who = {"doctor": "D1", "department": ["普通外科"]}
    outcome = year.run(scenario_of({"hospital": "H1", "volume": [{**who, "growth": "1"}]}))
    row = own(outcome, "E")
    assert (row["stays_before"], row["stays_after"]) == (3, 5)
    with pytest.raises(RegionError, match="no stay of the year names this") as raised:
        year.run(scenario_of({"hospital": "H1", "volume": [{"doctor": "D3", "growth": "1"}]}))
    assert "nearest" not in raised.value.message
    with pytest.raises(RegionError, match="nearest is '普通外科'"):
        year.run(scenario_of({"hospital": "H1", "volume": [{"department": "普通外料", "growth": "1"}]}))


def test_opening_values_that_a_region_can_state():
    """A million yuan a point is no opening value that region.toml takes; none and 0 are measured again."""
    assert [statable(value) for value in (None, 0, 1, 10**10 - 1, 10**10)] == [
        False,
        False,
        True,
        True,
        False,
    ]
