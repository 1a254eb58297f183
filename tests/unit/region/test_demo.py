"""The demo region: what is written, that it is reproducible, and that its faults are those it counts."""

from __future__ import annotations

import hashlib
import json
import tomllib
from decimal import Decimal
from pathlib import Path

import fastexcel
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fenzhi.budget import Budget
from fenzhi.errors import RegionError
from fenzhi.region.demo import DemoSummary, write_demo
from fenzhi.region.demo.budget import budget_lines, budget_toml
from fenzhi.region.demo.cells import build_cells
from fenzhi.region.demo.chapters import CHAPTERS, categories, chapter_of, sex_of
from fenzhi.region.demo.dirt import UNKNOWN_DIAGNOSIS, UNKNOWN_HOSPITAL, UNKNOWN_OPERATION, soil
from fenzhi.region.demo.diseases import AGE_PROFILES, COMPANIONS, DISEASES, MIXES
from fenzhi.region.demo.hospitals import level_counts, make_hospitals
from fenzhi.region.demo.payments import EMPLOYEE, ITEMS, RESIDENT, SELF_PAYING, Payer, pay, split_items
from fenzhi.region.demo.payments import split_operations as split
from fenzhi.region.demo.procedures import UNLISTED, read_procedures
from fenzhi.region.demo.stays import World, decimal, draw_year
from fenzhi.region.demo.tail import make_tail

FEES = [*ITEMS, "oth_fee"]
MONEY_TEXT = pl.Decimal(16, 2)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoSummary:
    folder = tmp_path_factory.mktemp("demo")
    return write_demo(folder, stays=6_000, hospitals=20, seed=3)


@pytest.fixture(scope="module")
def clean() -> pl.DataFrame:
    cells = build_cells(make_tail(8_000, np.random.default_rng(1)), np.random.default_rng(2))
    world = World(cells, make_hospitals(40, np.random.default_rng(3)), 2027)
    return draw_year(world, 2027, 8_000, np.random.default_rng(4))


def read_records(folder: Path) -> pl.DataFrame:
    """All records as the demo wrote them, columns that faults make unreadable as text."""
    frames = []
    for path in sorted((folder / "records").iterdir()):
        if path.suffix == ".parquet":
            frames.append(
                pl.read_parquet(path).with_columns(pl.col("medfee_sumamt", "dscg_time").cast(pl.String))
            )
            continue
        if path.suffix == ".csv":
            text = pl.read_csv(path.read_bytes().decode("gb18030").encode(), infer_schema=False)
        else:
            text = fastexcel.read_excel(path).load_sheet(0, dtypes="string").to_polars()
        schema = dict(frames[0].schema)
        lists = [name for name, dtype in schema.items() if dtype == pl.List(pl.String)]
        text = text.with_columns(pl.col(lists).fill_null("").str.split("|").list.filter(pl.element() != ""))
        text = text.with_columns(pl.col("adm_time").str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us"))
        text = text.with_columns(pl.lit(None, schema["oprn_fees"]).alias("oprn_fees"))
        frames.append(
            text.cast({k: v for k, v in schema.items() if k not in (*lists, "adm_time", "oprn_fees")})
        )
    return pl.concat(frames).with_columns(
        pl.col("medfee_sumamt").cast(MONEY_TEXT, strict=False).alias("total"),
        pl.col("dscg_time").str.slice(0, 19).str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False).alias("left"),
    )


def files_of(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_tables_of_diseases_are_consistent() -> None:
    known = read_procedures()
    for line in DISEASES.strip().splitlines():
        parts = line.split("|")
        codes = parts[0].split("/")
        treatments = [treatment.split(":") for treatment in parts[8].split(";")]
        assert sum(int(share) for _, share, _ in treatments) == 100, line
        assert {op for ops, _, _ in treatments if ops != "-" for op in ops.split("+")} <= set(known), line
        assert parts[5] in AGE_PROFILES, line
        assert parts[7] in MIXES, line
        assert len(parts) == 9 or parts[9] in COMPANIONS, line
        # A disease that only one sex can have must say so, or the clean stays would break a rule.
        assert all(sex_of(code) in ("b", parts[6]) for code in codes), line
        assert all((code[0] == "P") == (parts[5] == "newborn") for code in codes), line
    assert set(UNLISTED) <= set(known)


def test_codes_of_diseases_exist(reference_data: Path) -> None:
    books = {}
    for name in ("icd10_gl2_to_yb2.csv", "icd9cm3_gl3_to_yb2.csv"):
        books[name] = set(pl.read_csv(reference_data / name, infer_schema=False).to_series(2))
    codes = {code for line in DISEASES.strip().splitlines() for code in line.split("|")[0].split("/")}
    assert codes - books["icd10_gl2_to_yb2.csv"] == set()
    assert set(read_procedures()) - books["icd9cm3_gl3_to_yb2.csv"] == set()


def test_chapters_cover_what_they_say() -> None:
    assert categories(chapter_of("L40.000"))[:2] == ["L00", "L01"]
    assert chapter_of("D48.9").title == "肿瘤"
    assert chapter_of("D50.9").title == "血液与免疫疾病"
    assert [sex_of(code) for code in ("C61.x00", "N80.0", "O80.0", "N40", "I10")] == ["m", "f", "f", "m", "b"]
    assert all(chapter_of(category) is chapter for chapter in CHAPTERS for category in categories(chapter))
    with pytest.raises(KeyError):
        chapter_of("V01.0")


@pytest.mark.parametrize(
    ("hospitals", "third", "second", "first"), [(40, 5, 13, 22), (319, 12, 60, 247), (10, 3, 5, 2)]
)
def test_levels(hospitals: int, third: int, second: int, first: int) -> None:
    assert level_counts(hospitals) == {3: third, 2: second, 1: first}


def test_hospitals_of_the_default_size() -> None:
    table = make_hospitals(40, np.random.default_rng(1)).table
    assert table["fixmedins_code"].n_unique() == table["fixmedins_name"].n_unique() == 40
    assert table["fixmedins_code"].str.len_chars().unique().to_list() == [12]
    assert set(table["type"]) == {"general", "tcm", "children", "specialist"}
    assert table["fixmedins_name"].str.contains("合成").all()


def test_decimal_is_exact() -> None:
    got = decimal(pl.Series([0, 1, -1, 99, 123_456_789_012_345])).to_list()
    assert got == [Decimal(x) for x in ("0.00", "0.01", "-0.01", "0.99", "1234567890123.45")]


def test_operation_fees_by_hand() -> None:
    # Two operations: 30 % of 10.01 rounded down goes to the related one. None: nothing. One: all of it.
    got = split(np.array([1001, 0, 700]), np.array([[4, 9], [-1, -1], [2, -1]]))
    assert got.tolist() == [[701, 300], [0, 0], [700, 0]]


def test_payers_by_hand() -> None:
    # A resident at level 2: deductible 400 yuan, 80 %; away from home 10 points less; an employee 500, 90 %.
    class Fixed:
        """Draws the middle of a range and never a rare event."""

        def uniform(self, low: float, high: float, size: int) -> np.ndarray:
            return np.full(size, 0.10)

        def random(self, size: int) -> np.ndarray:
            return np.full(size, 0.999)

    total = np.full(4, 1_000_000)
    payer = Payer(
        np.array([RESIDENT, RESIDENT, EMPLOYEE, SELF_PAYING]), np.array([False, True, False, False])
    )
    got = pay(total, payer, np.full(4, 2), np.full(4, False), Fixed())  # type: ignore[arg-type]
    assert got["psn_ownpay"].tolist() == [100_000, 100_000, 100_000, 1_000_000]
    assert got["hifp_pay"].tolist() == [688_000, 602_000, 765_000, 0]
    assert got["psn_selfpay"].tolist() == [212_000, 298_000, 135_000, 0]
    assert got["acct_pay"].tolist() == [0, 0, 13_500, 0]
    assert got["excl_pay_sumamt"].tolist() == [0, 0, 0, 0]


@settings(max_examples=40, deadline=None)
@given(
    total=st.lists(st.integers(1, 10**9), min_size=1, max_size=20),
    seed=st.integers(0, 99),
    level=st.integers(1, 3),
)
def test_money_always_adds_up(total: list[int], seed: int, level: int) -> None:
    rng = np.random.default_rng(seed)
    cost, n = np.array(total), len(total)
    items = split_items(cost, rng.random(n) < 0.5, rng.random(n) < 0.5, rng)
    assert (sum(items.values()) == cost).all()
    payer = Payer(rng.integers(0, 3, n), rng.random(n) < 0.5)
    money = pay(cost, payer, np.full(n, level), rng.random(n) < 0.5, rng)
    assert (money["fund_pay_sumamt"] + money["psn_pay_sumamt"] == cost).all()
    assert (money["hifp_pay"] + money["othfund_pay"] == money["fund_pay_sumamt"]).all()
    assert (money["psn_selfpay"] + money["psn_ownpay"] == money["psn_pay_sumamt"]).all()
    assert all((part >= 0).all() for part in [*items.values(), *money.values()])


def test_clean_stays_break_no_rule(clean: pl.DataFrame) -> None:
    principal = pl.col("diag_codes").list.first()
    days = (pl.col("dscg_time").dt.date() - pl.col("adm_time").dt.date()).dt.total_days()
    rules = {
        "key": pl.col("setl_id").is_unique(),
        "principal": principal.is_not_null(),
        "others differ": pl.col("diag_codes").list.n_unique() == pl.col("diag_codes").list.len(),
        "order": pl.col("adm_time") < pl.col("dscg_time"),
        "year": pl.col("dscg_time").dt.year() == 2027,
        "los": pl.col("act_ipt_days").is_null() | (pl.col("act_ipt_days") == pl.max_horizontal(days, 1)),
        "cost": pl.col("medfee_sumamt") > 0,
        "payers": pl.col("fund_pay_sumamt") + pl.col("psn_pay_sumamt") == pl.col("medfee_sumamt"),
        "items": pl.sum_horizontal(FEES).cast(MONEY_TEXT) == pl.col("medfee_sumamt"),
        "operations": pl.col("oprn_fees").list.len() == pl.col("oprn_codes").list.len(),
        "operation fees": pl.col("oprn_codes").list.len().eq(0)
        | (pl.col("oprn_fees").list.sum().cast(MONEY_TEXT) == pl.col("oprn_fee")),
        "sex": pl.col("gend").is_in([1, 2]),
        "women": ~principal.str.contains("^(O|N8|N9[0-8]|C5[1-8])") | (pl.col("gend") == 2),
        "men": ~principal.str.contains("^(N4|N5[01]|C6[0-3])") | (pl.col("gend") == 1),
        "age": pl.col("age").is_between(0, 130),
        "infants": (pl.col("age") == 0) == pl.col("nwb_age").is_not_null(),
        "perinatal": ~principal.str.starts_with("P") | (pl.col("nwb_age") <= 28),
        "weights": ~(pl.col("nwb_age") <= 28).fill_null(False) | pl.col("nwb_bir_wt").is_between(500, 4600),
        "insured": pl.col("insutype").is_null() == pl.col("insu_admdvs").is_null(),
        "self-paying": pl.col("insutype").is_not_null() | (pl.col("hifp_pay") == 0),
        "therapy has a tumour": ~principal.str.starts_with("Z51")
        | pl.col("diag_codes").list.get(1, null_on_oob=True).str.starts_with("C"),
    }
    failed = {name for name, rule in rules.items() if not clean.select(rule.fill_null(False).all()).item()}
    assert failed == set()


def test_stays_look_like_a_region(clean: pl.DataFrame) -> None:
    share = clean.select(
        employee=pl.col("insutype").is_in(["310", "510"]).mean(),
        away=(pl.col("insu_admdvs") != "990100").mean(),
        dead=(pl.col("dscg_way") == 5).mean(),
        operated=(pl.col("oprn_codes").list.len() > 0).mean(),
        bed_day=(pl.col("med_type") == "2105").mean(),
        tcm=(pl.col("tcm_diag_codes").list.len() > 0).mean(),
        no_los=pl.col("act_ipt_days").is_null().mean(),
        winter=(pl.col("dscg_time").dt.month().is_in([1, 12])).mean(),
        maternity=(pl.col("insutype") == "510").mean(),
    ).row(0, named=True)
    assert 0.20 < share["employee"] < 0.24
    assert 0.03 < share["away"] < 0.08
    assert 0.001 < share["dead"] < 0.02
    assert 0.2 < share["operated"] < 0.4
    assert 0.001 < share["bed_day"] < 0.02
    assert 0.02 < share["tcm"] < 0.25
    assert 0.03 < share["no_los"] < 0.35
    assert share["winter"] > 2 / 12
    assert 0 < share["maternity"] < 0.02


def test_persons_come_back_and_stay_the_same(clean: pl.DataFrame) -> None:
    people = (
        clean.with_columns(born=2027 - pl.col("age"))
        .group_by("psn_no")
        .agg(pl.len(), pl.col("gend", "born", "insu_admdvs").n_unique())
    )
    assert people["len"].max() > 2
    assert people["gend"].max() == people["born"].max() == 1


def test_folder_holds_what_the_region_names(demo: DemoSummary) -> None:
    region = tomllib.loads((demo.target / "region.toml").read_text(encoding="utf-8"))
    head = region["region"]
    assert head["synthetic"] is True
    assert "合成数据" in head["name"]
    assert [pool["insutype"] for pool in region["pool"]] == [["310", "510"], ["390"]]
    for name in ("records", "hospitals", "budget", "operations"):
        assert (demo.target / head[name]).exists(), name
    assert all(len(list((demo.target / folder).glob("*.parquet"))) >= 2 for folder in head["history"])
    kinds = {path.suffix for path in (demo.target / "records").iterdir()}
    assert kinds == {".parquet", ".csv", ".xlsx"}
    assert len(list((demo.target / "records").iterdir())) == 12
    assert "invented" in (demo.target / "README.txt").read_text(encoding="utf-8")


def test_mean_cost_is_the_published_one(demo: DemoSummary) -> None:
    assert abs(demo.mean_cost_fen - 612_873) < 0.05 * 612_873


def test_operations_and_diagnoses_are_listed_except_the_intended_ones(demo: DemoSummary) -> None:
    table = pl.read_csv(demo.target / "operations.csv", infer_schema=False)
    assert set(table["type"]) == {"surgery", "interventional", "therapeutic", "diagnostic"}
    records = read_records(demo.target)
    used = set(records["oprn_codes"].explode(empty_as_null=False, keep_nulls=False))
    assert used - set(table["code"]) <= {*UNLISTED, UNKNOWN_OPERATION}
    book = pl.read_csv(demo.target / "diagnoses.csv", infer_schema=False)
    named = set(records["diag_codes"].explode(empty_as_null=False, keep_nulls=False))
    assert named - set(book["code"]) == {UNKNOWN_DIAGNOSIS}
    assert book["name"].null_count() == 0


def test_faults_are_as_many_as_the_truth_says(demo: DemoSummary) -> None:
    """Each kind counted again from the files, by its own rule, after taking added rows away."""
    truth = json.loads((demo.target / "demo-truth.json").read_text(encoding="utf-8"))
    assert truth["records"] == demo.injected
    assert truth["history"] == demo.injected_history
    assert set(demo.injected) - set(demo.injected_history) == {"unreadable_number", "unreadable_date"}
    records = read_records(demo.target)
    assert records.height == demo.rows[2027]
    negative = records.filter(pl.col("total") < 0)
    keys = set(records.filter(pl.col("total") > 0)["setl_id"])
    partner = negative.filter(pl.col("setl_id").is_in(list(keys)))
    net = partner.join(records.filter(pl.col("total") > 0), on="setl_id", how="left", suffix="_of")
    rows = records.filter((pl.col("total") >= 0) | pl.col("total").is_null())
    first = rows.filter(pl.col("setl_id").is_null() | pl.col("setl_id").is_first_distinct())
    principal = pl.col("diag_codes").list.first()
    days = (pl.col("left").dt.date() - pl.col("adm_time").dt.date()).dt.total_days()
    codes = pl.col("diag_codes").list.len()
    got = {
        "duplicate_key": rows.height - first.height,
        "refund_without_original": negative.height - partner.height,
        "refunded": net.filter(pl.col("total") + pl.col("total_of") == 0).height,
        "refund_netted": net.filter(pl.col("total") + pl.col("total_of") > 0).height,
    }
    rules = {
        "missing_key": pl.col("setl_id").is_null(),
        "no_principal_diagnosis": codes == 0,
        "unreadable_number": pl.col("total").is_null(),
        "unreadable_date": pl.col("left").is_null(),
        "discharge_before_admission": pl.col("left") < pl.col("adm_time"),
        "zero_cost": pl.col("total") == 0,
        "unknown_hospital": pl.col("fixmedins_code") == UNKNOWN_HOSPITAL,
        "sex_invalid": ~pl.col("gend").is_in([1, 2]),
        "sex_missing": pl.col("gend").is_null(),
        "age_missing": pl.col("age").is_null(),
        "age_out_of_range": ~pl.col("age").is_between(0, 130),
        "los_negative": pl.col("act_ipt_days") < 0,
        "los_against_dates": (pl.col("act_ipt_days") > 0)
        & days.is_not_null()
        & (pl.col("act_ipt_days") != pl.max_horizontal(days, 1)),
        "unknown_diagnosis": pl.col("diag_codes").list.contains(UNKNOWN_DIAGNOSIS),
        "unknown_operation": pl.col("oprn_codes").list.contains(UNKNOWN_OPERATION),
        "newborn_without_weight": (pl.col("nwb_age") <= 28) & pl.col("nwb_bir_wt").is_null(),
        "age_against_diagnosis": principal.str.starts_with("P") & (pl.col("age") > 0) & (pl.col("age") < 130),
        "sex_against_diagnosis": (principal.str.contains("^(O|N8|N9[0-8]|C5[1-8])") & (pl.col("gend") == 1))
        | (principal.str.contains("^(N4|N5[01]|C6[0-3])") & (pl.col("gend") == 2)),
        "other_equals_principal": (codes > 1) & (principal == pl.col("diag_codes").list.last()),
        "payers_do_not_add_up": pl.col("fund_pay_sumamt") + pl.col("psn_pay_sumamt") != pl.col("total"),
        "items_do_not_add_up": pl.sum_horizontal(FEES).cast(MONEY_TEXT) != pl.col("total"),
    }
    got |= {name: first.filter(rule).height for name, rule in rules.items()}
    assert got == demo.injected


def test_share_of_faulty_rows(demo: DemoSummary) -> None:
    assert 0.02 < sum(demo.injected.values()) / demo.rows[2027] < 0.03
    history = sum(demo.rows[year] for year in (2024, 2025, 2026))
    assert 0.003 < sum(demo.injected_history.values()) / history < 0.01


def test_soil_keeps_order_and_originals(clean: pl.DataFrame) -> None:
    dirty, counts = soil(clean, np.random.default_rng(1), text_month=10)
    assert dirty.height == clean.height + sum(
        counts[k] for k in ("duplicate_key", "refunded", "refund_netted")
    )
    left = dirty.filter(pl.col("_kind").is_null())
    assert left["setl_id"].is_sorted()
    assert left.drop("_kind", "_added", "_month").equals(
        clean.join(left.select("setl_id"), on="setl_id", how="semi")
    )
    assert dirty.filter(pl.col("_kind") == "unreadable_date")["_month"].unique().to_list() == [10]


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b", "c")]
    for folder, seed in zip(folders, (7, 7, 8), strict=True):
        folder.mkdir()
        write_demo(folder, stays=1_000, hospitals=10, seed=seed)
    one, two, three = (files_of(folder) for folder in folders)
    assert one == two
    changed = {name for name in one if one[name] != three.get(name)}
    assert changed >= {"assessment.csv", "budget.toml", "records/2027-01.parquet", "records/2027-11.xlsx"}


def test_budget_by_hand() -> None:
    # Booked 1,000 + 500 yuan by disease, 200 bed-day; items apart 100 of 2,000, so 5 % of the booked 1,000.
    # Fund 97 % of 1,500 = 1,455; care elsewhere 4 % of 1,500 = 60.
    frame = pl.DataFrame(
        {
            "insutype": ["310", "510", "310", "310", "310", "390"],
            "insu_admdvs": ["990100", "990100", "990100", "990200", "990100", "990100"],
            "med_type": ["21", "21", "2105", "21", "21", "21"],
            "hifp_pay": [Decimal(x) for x in ("1000", "500", "200", "9000", "7000", "0")],
            "excl_pay_sumamt": [Decimal(x) for x in ("100", "0", "0", "0", "0", "0")],
            "medfee_sumamt": [Decimal(x) for x in ("2000", "1000", "300", "9000", "8000", "10")],
            "_kind": [None, None, None, None, "zero_cost", None],
            "_added": [False] * 6,
        },
        schema_overrides=dict.fromkeys(("hifp_pay", "excl_pay_sumamt", "medfee_sumamt"), MONEY_TEXT),
    )
    # 1,455 + 60 + 200 + 50 = 1,765; / 0.95 = 1,857.89.., so an income of 2,000, the next whole thousand.
    # 2 % and 3 % of it are 40 and 60; what is left over, 2,000 - 1,765 - 100 = 135, joins care elsewhere.
    lines = {line.name: line.amount_fen for line in budget_lines(frame)["employee"]}
    assert lines == {
        "住院统筹基金预算收入": 200_000,
        "风险金": 4_000,
        "区域调节金": 6_000,
        "异地就医预留": 6_000 + 13_500,
        "床日付费病例": 20_000,
        "除外支付项目": 5_000,
    }
    read = tomllib.loads(budget_toml(2027, budget_lines(frame)))
    budget = Budget.model_validate(read | {"pool": read["pool"][:1]})
    assert budget.of("employee").fund_fen == 145_500
    # A tenth of the adjustment money, 6.00, went to care elsewhere.
    assert budget.of("employee").amounts()["异地就医预留"] == 19_500 + 600
    assert [line["kind"] for line in read["pool"][1]["lines"]] == [
        "income",
        "reserve",
        "adjustment",
        "out_of_region",
        "carve_out",
        "paid_apart",
    ]
    # A pool without money has no change.
    assert ["change" in pool for pool in read["pool"]] == [True, False]


def test_progress_ends_at_one(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    write_demo(tmp_path, stays=1_000, hospitals=10, progress=lambda text, share: told.append((text, share)))
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert told[-1] == ("done", 1.0)


def test_too_small_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegionError) as caught:
        write_demo(tmp_path, stays=10)
    assert caught.value.text() == (
        "[DEMO_SIZE] a demo region needs at least 1000 stays a year and 10 hospitals\n"
        "  where: value 'stays=10, hospitals=40'\n"
        "  to do: give larger numbers"
    )
    assert list(tmp_path.iterdir()) == []


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegionError) as caught:
        write_demo(tmp_path / "none")
    assert caught.value.code == "DEMO_FOLDER"
