"""A year with several packs or catalogues: every day has one of each; what a year has once is alike in all."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from cli.calls import done, fenzhi, runs_of
from cli.small import write_small
from fenzhi.errors import PolicyError, RegionError
from fenzhi.pipeline import compute
from fenzhi.region import load_region
from golden.small_drg import write_region as write_small_drg

PACK = """[meta]
id = "{id}"
title = "{id}"
scheme = "dip"
version = "1"
extends = "national-dip-3.0"
{dates}
[ungrouped]
cite = "{id}"
factor = {factor}
"""
FIRST, SECOND = "valid_to = 2027-03-31", "valid_from = 2027-04-01"


def write(region: Path, name: str, dates: str, factor: str = "0.7") -> None:
    (region / f"{name}.toml").write_text(PACK.format(id=name, dates=dates, factor=factor), encoding="utf-8")


def name_packs(region: Path, *names: str) -> None:
    file = region / "region.toml"
    old = file.read_text(encoding="utf-8")
    listed = ", ".join(f'"{name}"' for name in names)
    assert 'policy = "national-dip-3.0"' in old
    file.write_text(old.replace('policy = "national-dip-3.0"', f"policies = [{listed}]"), encoding="utf-8")


@pytest.fixture
def region(tmp_path) -> Path:
    return write_small(tmp_path / "small")


def test_packs_that_pay_alike_pay_as_one(region):
    before = compute(load_region(region))[0]
    write(region, "a", FIRST)
    write(region, "b", SECOND)
    name_packs(region, "a.toml", "b.toml")
    loaded = load_region(region)
    assert [pack.meta.id for pack in loaded.policies] == ["a", "b"]
    after = compute(loaded)[0]
    names = ("policy", "catalog")
    for name, table in before.items():
        if name != "groups":
            assert after[name].drop(names, strict=False).equals(table.drop(names, strict=False)), name
    # One row per group and pack; the stays of the year are divided.
    figures = ["cases", "cost_fen", "points_e4", "payable_fen", "booked_fen"]
    both = after["groups"].group_by("group_id", maintain_order=True).agg(pl.col(figures).sum())
    assert both.equals(before["groups"].select("group_id", *figures))
    for pack in ("a", "b"):
        mine = after["groups"].filter(policy=pack).drop(*names, *figures)
        assert mine.equals(before["groups"].drop(*names, *figures))


def test_a_run_with_several_packs_can_be_explained_until_one_changes(region):
    write(region, "a", FIRST)
    write(region, "b", SECOND)
    name_packs(region, "a.toml", "b.toml")
    done("run", region, "--no-reports")
    [run] = runs_of(region)
    stay = pl.read_parquet(run / "cases.parquet").filter(pl.col("points_e4").is_not_null())["setl_id"][0]
    done("explain", run, stay)
    write(region, "b", SECOND, "0.8")
    assert "[RUN_STALE]" in fenzhi("explain", run, stay).err


@pytest.mark.parametrize(
    ("section", "what"),
    [
        ('[settlement]\nadvance_ratio = "0.8"\n', "settlement"),
        ("[weights]\nscale = 100\n", "weights.scale"),
        ("[points]\ndecimals = 2\n", "points.decimals"),
    ],
)
def test_packs_that_differ_in_what_a_year_has_once(region, section, what):
    write(region, "a", FIRST)
    write(region, "b", SECOND)
    with (region / "b.toml").open("a", encoding="utf-8") as file:
        file.write(section)
    name_packs(region, "a.toml", "b.toml")
    for command in ("run", "check"):
        said = fenzhi(command, region)
        assert (said.code, said.out) == (2, "")
        assert said.err == (
            f"[POLICY_YEAR] the packs a and b differ in {what}, and one year has one rule there\n"
            f"  where: {region / 'region.toml'}, field region.policies\n"
            "  to do: set it alike in both, or let the other rule begin with a year of its own; fenzhi policy diff "
            "shows how they differ\n"
        )


def test_packs_of_one_id(region):
    write(region, "a", FIRST)
    write(region, "b", SECOND)
    text = (region / "b.toml").read_text(encoding="utf-8").replace('id = "b"', 'id = "a"')
    (region / "b.toml").write_text(text, encoding="utf-8")
    name_packs(region, "a.toml", "b.toml")
    with pytest.raises(PolicyError, match="two packs of the year are called a") as caught:
        load_region(region)
    assert caught.value.code == "POLICY_TWICE"


def test_a_pack_outside_the_year_holds_no_stay(region):
    write(region, "z", "valid_to = 2026-12-31", "0.1")
    write(region, "a", "valid_from = 2027-01-01", "0.7")
    name_packs(region, "z.toml", "a.toml")
    loaded = load_region(region)
    assert (loaded.policy.meta.id, [pack.meta.id for pack in loaded.policies]) == ("a", ["a"])
    assert set(compute(loaded)[0]["groups"]["policy"]) == {"a"}


def test_before_the_first_pack_it_holds_and_after_the_last_one_it(region):
    write(region, "a", "valid_from = 2027-01-01\nvalid_to = 2027-03-31")
    write(region, "b", "valid_from = 2027-04-01\nvalid_to = 2027-12-31", "0.6")
    name_packs(region, "b.toml", "a.toml")
    cases = compute(load_region(region))[0]["cases"].filter(pl.col("month").is_not_null())
    # S07 left on 31 December 2026, S02 in April.
    held = dict(cases.select("setl_id", "policy").iter_rows())
    assert (held["S07"], held["S02"], held["S01"]) == ("a", "b", "a")


def name_catalogs(region: Path, *rows: str, names: tuple[str, str] = ("small", "second")) -> None:
    """Name the region's catalogue and a copy of it by dates."""
    shutil.copytree(region / "catalog", region / "second")
    for folder, name in zip(("catalog", "second"), names, strict=True):
        file = region / folder / "catalog.toml"
        text = file.read_text(encoding="utf-8").replace('id = "small"', f'id = "{name}"')
        file.write_text(text, encoding="utf-8")
    file = region / "region.toml"
    listed = f"catalog = [{', '.join(rows)}]"
    file.write_text(file.read_text(encoding="utf-8").replace('catalog = "catalog"', listed), encoding="utf-8")


OLD = '{catalog = "catalog", valid_to = 2027-03-31}'


@pytest.mark.parametrize(
    ("second", "code", "message"),
    [
        (
            '{catalog = "second", valid_from = 2027-04-02}',
            "CATALOG_DATES_GAP",
            "no catalogue holds from 2027-04-01 to 2027-04-01",
        ),
        (
            '{catalog = "second", valid_from = 2027-03-31}',
            "CATALOG_DATES_OVERLAP",
            "two catalogues hold from 2027-03-31 to 2027-03-31: catalog and second",
        ),
        (
            '{catalog = "catalog", valid_from = 2027-04-01}',
            "CATALOG_TWICE",
            "two catalogues of the year are called catalog",
        ),
    ],
)
def test_a_day_without_or_with_two_catalogues(region, second, code, message):
    name_catalogs(region, OLD, second)
    with pytest.raises(PolicyError) as caught:
        load_region(region)
    error = caught.value
    assert (error.code, error.message, error.field) == (code, message, "region.catalog")
    assert error.file == str(region / "region.toml")
    assert error.remedy
    assert fenzhi("check", region).code == 2


def test_two_catalogues_with_one_id(region):
    name_catalogs(region, OLD, '{catalog = "second", valid_from = 2027-04-01}', names=("small", "small"))
    said = fenzhi("check", region)
    assert said.code == 2
    assert said.err.startswith("[CATALOG_TWICE] two catalogues of the year are called small\n")


def test_two_catalogues_that_compare_codes_differently(tmp_path):
    region = write_small_drg(tmp_path / "drg")
    shutil.copytree(region / "catalog", region / "second")
    file = region / "second" / "catalog.toml"
    text = file.read_text(encoding="utf-8").replace("[catalog]\n", '[catalog]\ncode_match = "category"\n')
    file.write_text(re.sub(r'\nid = "[^"]*"', '\nid = "second"', text), encoding="utf-8")
    file = region / "region.toml"
    listed = f'catalog = [{OLD}, {{catalog = "second", valid_from = 2027-04-01}}]'
    old = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r'catalog = "[^"]*"', listed, old), encoding="utf-8")
    said = fenzhi("check", region)
    assert said.code == 2
    assert said.err.startswith(
        "[CATALOG_COMPARES] one catalogue of the year compares codes exactly, another does not\n"
    )


def test_a_catalogue_may_change_under_one_pack(region):
    before = compute(load_region(region))[0]
    name_catalogs(region, OLD, '{catalog = "second", valid_from = 2027-04-01}')
    after = compute(load_region(region))[0]
    names = ("policy", "catalog")
    assert after["cases"].drop(names).equals(before["cases"].drop(names))
    assert dict(after["cases"].select("setl_id", "catalog").iter_rows())["S02"] == "second"
    assert after["groups"].select(names).unique(maintain_order=True).rows() == [
        ("national-dip-3.0", "small"),
        ("national-dip-3.0", "second"),
    ]


@pytest.mark.parametrize(
    ("dates", "code", "message"),
    [
        ("valid_from = 2027-04-02", "POLICY_GAP", "no pack holds from 2027-04-01 to 2027-04-01"),
        (
            "valid_from = 2027-03-31",
            "POLICY_OVERLAP",
            "two packs hold from 2027-03-31 to 2027-03-31: a and b",
        ),
        (
            "valid_from = 2027-04-01\nvalid_to = 2027-12-30",
            "POLICY_GAP",
            "no pack holds from 2027-12-31 to 2027-12-31",
        ),
    ],
)
def test_a_day_without_or_with_two_packs_stops_before_anything_runs(region, dates, code, message):
    write(region, "a", FIRST)
    write(region, "b", dates)
    name_packs(region, "a.toml", "b.toml")
    with pytest.raises(PolicyError) as caught:
        load_region(region)
    error = caught.value
    assert (error.code, error.message, error.field) == (code, message, "region.policies")
    assert error.file == str(region / "region.toml")
    assert fenzhi("check", region).code == 2


def test_packs_of_two_schemes(region):
    write(region, "a", FIRST)
    (region / "b.toml").write_text(
        PACK.format(id="b", dates=SECOND, factor=1).replace('"dip"', '"drg"').replace("dip-3.0", "drg"),
        encoding="utf-8",
    )
    name_packs(region, "a.toml", "b.toml")
    with pytest.raises(PolicyError, match="the packs are for dip and drg") as caught:
        load_region(region)
    assert caught.value.code == "POLICY_SCHEME"


def test_policy_and_policies_or_none_of_both(region):
    file = region / "region.toml"
    old = file.read_text(encoding="utf-8")
    for text, field, message in (
        (old.replace('policy = "national-dip-3.0"\n', ""), "region.policy", "this key is missing: the pack"),
        (
            old.replace('policy = "national-dip-3.0"', 'policy = "a.toml"\npolicies = ["b.toml"]'),
            "region.policies",
            "not both",
        ),
    ):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(RegionError, match=message) as caught:
            load_region(region)
        assert caught.value.field == field


def test_check_says_what_the_packs_say_but_nothing_reads(region):
    write(region, "a", "")
    text = (region / "a.toml").read_text(encoding="utf-8") + 'rule = "none"\n'
    (region / "a.toml").write_text(text, encoding="utf-8")
    name_packs(region, "a.toml")
    assert "! warning: [POLICY_UNUSED] nothing reads this key while ungrouped.rule is none (" in done(
        "check", region
    )
