"""``fenzhi switch``: the same stays under two catalogues, as a user sees it, on a region small enough to work out.

The small region moves to a catalogue without operations and without comprehensive groups: K35 without operation is one
group, E11 another. S01 (operation) loses its group, S02 (K35.8) and S03 (K35.9) come together, S04 (E11.6) finds one.
"""

from __future__ import annotations

import json
import re
import string
from pathlib import Path

import fastexcel
import polars as pl
import pytest

from cli.calls import done, fenzhi
from cli.small import CATALOG, GROUPS
from fenzhi.attribution import cause
from fenzhi.attribution.switch import SWITCH_CAUSES
from fenzhi.attribution.switch_columns import SWITCHED
from fenzhi.reports.switch_texts import SWITCH_TEXTS

NEW_GROUPS = """\
group_id,name,layer,main_diag,treatment,main_oprn
K35:0,阑尾炎,merged,K35,conservative,
E11:0,糖尿病,basic,E11,conservative,
"""
CROSS = ("matrix", "group_matrix")
FILES = {
    *(f"{name}.parquet" for name in (*SWITCHED, *CROSS)),
    *(f"{name}.csv" for name in (*SWITCHED, *CROSS) if name != "stays"),
    "summary.json",
    "switch.html",
    "switch.xlsx",
}


def write_catalog(folder: Path, name: str, groups: str, layers: str) -> Path:
    folder.mkdir(parents=True)
    meta = CATALOG.replace('"small"', f'"{name}"').replace('["basic", "comprehensive"]', layers)
    (folder / "catalog.toml").write_text(meta, encoding="utf-8")
    (folder / "groups.csv").write_text(groups, encoding="utf-8")
    return folder


@pytest.fixture
def new(tmp_path) -> Path:
    return write_catalog(tmp_path / "new", "new", NEW_GROUPS, '["merged", "basic"]')


@pytest.fixture
def folder(small, new, tmp_path) -> Path:
    done("switch", small, "--to", new, "-o", tmp_path / "out")
    return tmp_path / "out"


def table(folder: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(folder / f"{name}.parquet")


def test_where_the_stays_went(folder):
    stays = table(folder, "stays").select("setl_id", "group_id_before", "group_id_after")
    assert stays.rows() == [
        ("S01", "K35.8:47.0100", None),
        ("S02", "K35.8:0", "K35:0"),
        ("S03", "K35-medical", "K35:0"),
        ("S04", None, "E11:0"),
    ]
    assert table(folder, "matrix").rows() == [
        ("basic", 1, 0, 1, 2),
        ("comprehensive", 1, 0, 0, 1),
        ("ungrouped", 0, 1, 0, 1),
        ("total", 2, 1, 1, 4),
    ]
    assert table(folder, "matrix").columns == ["from", "to merged", "to basic", "to ungrouped", "total"]
    lost = table(folder, "ungrouped").select("setl_id", "group_id_before", "outcome_now", "reason")
    assert lost.rows() == [("S01", "K35.8:47.0100", "ungrouped", "no_group")]
    moved = table(folder, "groups").filter(pl.col("moved") > 0).select("group_id", "to_group", "to_stays")
    assert sorted(moved.rows(), key=str) == [
        ("K35-medical", "K35:0", 1),
        ("K35.8:0", "K35:0", 1),
        ("K35.8:47.0100", None, 1),
        (None, "E11:0", 1),
    ]


# Costs 10,500 (S01), 4,200 (S02), 5,500 (S03), 3,000 (S04). Before, three groups of one stay each: all is explained.
# After, K35:0 has 4,200 and 5,500: 2 x 650^2 = 845,000; all three (12,700 / 3): 4,200^2 + 5,500^2 + 3,000^2 -
# 12,700^2 / 3 = 9,380,000 / 3. RIV = 1 - 845,000 x 3 / 9,380,000 = 1,369 / 1,876. Of S02 and S03 alone, one group: 0.
def test_how_well_the_groups_fit(folder):
    measures = {name: (was, now) for name, was, now, _ in table(folder, "measures").iter_rows()}
    assert measures["grouping_rate"] == (0.75, 0.75)
    assert measures["riv"] == (1.0, pytest.approx(1369 / 1876))
    assert measures["riv_common"] == (1.0, 0.0)
    assert measures["stays_common"] == (2.0, 2.0)
    assert (measures["core"], measures["comprehensive"]) == ((2.0, 3.0), (1.0, 0.0))


# History: 12 stays, 82,000: M = 6,833.33. Before: K35.8:0 16,000 / 4 = 4,000: RW 585.3659; K35-medical 5,000: 731.7073.
# After: K35:0 26,000 / 6 = 4,333.33: 634.1463; E11:0 5,000: 731.7073. A1 (53,000 / 6) / M = 1.2927, B2 0.7073.
# Residents, 9,500.00: S02 414.0293 -> 448.5317, S03 945.8780 -> 819.7609, S04 (3,000 / M x 700 = 307.3171 without
# group) -> 517.5366. Sums 1,667.2244 and 1,785.8292: A1 has 5,389.70 -> 4,360.85 of them, B2 the rest.
# Employees: S01 alone has all 19,000.00, so what it loses with its group comes back by the price of its points.
def test_what_it_does_to_the_hospitals(folder):
    accounts = table(folder, "accounts")
    mine = accounts.filter(fixmedins_code="A1", pool="resident").row(0, named=True)
    assert (mine["before_fen"], mine["after_fen"]) == (538_970, 436_085)
    other = accounts.filter(fixmedins_code="B2", pool="resident").row(0, named=True)
    gross = [-sum(mine[cause(name)] for name in SWITCH_CAUSES), 0]
    gross[1] = sum(other[cause(name)] for name in SWITCH_CAUSES if name != "assessment")
    assert gross == [102_885, 102_885]
    # S03: 5,389.70 x 634.1463 / 731.7073 = 4,671.07, less 5,389.70.
    assert (mine["by_grouping_fen"], mine["by_ungrouped_fen"], mine["by_weight_fen"]) == (-71_863, 0, 0)
    employees = accounts.filter(fixmedins_code="A1", pool="employee").row(0, named=True)
    assert employees["difference_fen"] == 0
    assert employees["by_ungrouped_fen"] < 0 < employees["by_price_fen"]


def test_it_adds_up_to_the_budget(folder):
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    lines = summary["balance"]
    # B2 is assessed at 0.98: of 4,110.30 before 82.21 are withheld, of 5,139.15 after 102.78.
    assert (lines["fund"], lines["gross"], lines["assessment"]) == (0, 0, -2_057)
    assert lines["final"] == sum(summary["causes"].values()) == -2_057 == -lines["kept"]
    hospitals = table(folder, "hospitals")
    assert hospitals["difference_fen"].sum() == -2_057
    for name in ("accounts", "hospitals", "levels"):
        found = table(folder, name)
        causes = found.select(pl.sum_horizontal(cause(one) for one in SWITCH_CAUSES)).to_series()
        assert causes.equals(found["difference_fen"], check_names=False)


def test_the_folder(folder, small, new):
    assert {path.name for path in folder.iterdir()} == FILES
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    for name, columns in SWITCHED.items():
        assert table(folder, name).schema == pl.Schema({c.name: c.dtype for c in columns})
    book = fastexcel.read_excel(folder / "switch.xlsx")
    assert SWITCH_TEXTS["sheet.group_matrix"][0] in book.sheet_names
    sheet = book.load_sheet(SWITCH_TEXTS["sheet.balance"][0]).to_polars()
    assert "考核" in sheet["项目"].to_list()
    page = (folder / "switch.html").read_text(encoding="utf-8")
    assert page.count("<path") >= 4
    assert "目录中无相应病种" in page
    assert "http" not in re.sub(r"http://www\.w3\.org/\S+", "", page)
    assert not (small / "runs").exists()
    assert "[OUTPUT_EXISTS]" in fenzhi("switch", small, "--to", new, "-o", folder).err


def test_in_english_and_as_json(small, new, tmp_path):
    done("switch", small, "--to", new, "-o", tmp_path / "en", "--lang", "en")
    page = (tmp_path / "en" / "switch.html").read_text(encoding="utf-8")
    body = re.sub(r"<style>.*?</style>|<svg.*?</svg>", "", page, flags=re.S)
    left = set(re.findall(r"[\u4e00-\u9fff]+", body))
    assert not {word for word in left if word in "".join(zh for zh, _ in SWITCH_TEXTS.values())}
    found = json.loads(done("switch", small, "--to", new, "--json"))
    assert [row["fixmedins_code"] for row in found["hospitals"]] == ["B2", "C3", "A1"]
    out = done("switch", small, "--to", new, "--lang", "en")
    assert re.search(r"by-disease fund +0\.00", out)


def test_what_is_refused(small, new, tmp_path):
    for args, said in (
        (("--to", tmp_path / "nowhere"), "[CATALOG_MISSING]"),
        (("--to", small / "catalog"), "[CATALOG_SAME]"),
        (("--to", "catalog"), "[CATALOG_SAME]"),
        (("--to", "demonstration-drg"), "[POLICY_SCHEME] the catalogue is for DRG, the policy for DIP"),
        (("--to", new, "--policy", "national-drg"), "[POLICY_SCHEME] the catalogue is for DIP"),
        (("--to", new, "--policy", "nothing"), "[POLICY_MISSING]"),
    ):
        found = fenzhi("switch", small, *args, "-o", tmp_path / "refused")
        assert (found.code, found.out) == (2, "")
        assert said in found.err
        assert not (tmp_path / "refused").exists()


def test_a_drg_catalogue_without_tables_is_refused(small, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    meta = CATALOG.replace('layers = ["basic", "comprehensive"]\n', 'scheme = "drg"\n')
    (empty / "catalog.toml").write_text(meta, encoding="utf-8")
    found = fenzhi("switch", small, "--to", empty, "--policy", "national-drg")
    assert found.code == 2
    assert found.err.startswith("[TABLE_MISSING] cannot read the file")
    assert "mdc.csv" in found.err


def test_rows_that_the_new_catalogue_does_not_know_are_left_out(small, new):
    rows = "group_id,weight,who,why\nK35.8:0,600,专家组,谈判\n"
    (small / "weight_overrides.csv").write_text(rows, encoding="utf-8")
    out = done("switch", small, "--to", new, "--lang", "en")
    assert "1 negotiated weights are of groups that the new catalogue does not have" in out


def test_given_weights_that_are_not_there_are_measured(small, new, tmp_path):
    pack = tmp_path / "given.toml"
    text = '[meta]\nid = "given"\ntitle = "自带权重"\nscheme = "dip"\nversion = "1"\nextends = "national-dip-3.0"\n'
    pack.write_text(
        text + '[weights]\ncite = "x"\nconfidence = "sample"\nmethod = "given"\n', encoding="utf-8"
    )
    found = json.loads(done("switch", small, "--to", new, "--policy", pack, "--json"))
    assert found["left_out"] == {"given_weights": 1}
    assert found["measures"]["groups"] == [5.0, 2.0]


def test_the_same_groups_under_another_name_change_nothing(small, tmp_path):
    other = write_catalog(tmp_path / "other", "other", GROUPS, '["basic", "comprehensive"]')
    found = json.loads(done("switch", small, "--to", other, "--json"))
    assert set(found["causes"].values()) == {0}
    assert (found["counts"]["stays_moved"], found["counts"]["stays_lost"]) == (0, 0)


def test_the_texts_say_the_same_in_both_languages():
    for key, (zh, en) in SWITCH_TEXTS.items():
        fields = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (zh, en)]
        assert fields[0] == fields[1], key
        assert not re.search(r"[\u4e00-\u9fff]", en), key
        assert not re.search(r"[\u4e00-\u9fff][,;:(]|[,;:)][\u4e00-\u9fff]", zh), key
