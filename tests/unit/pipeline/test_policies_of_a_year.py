"""A year with several packs: every day has one; checked together, paid together only if they pay alike."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cli.calls import done, fenzhi, runs_of
from cli.small import write_small
from fenzhi.errors import PolicyError, RegionError
from fenzhi.pipeline import compute
from fenzhi.region import load_region

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
    assert all(after[name].equals(table) for name, table in before.items())


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


def test_packs_of_different_rules_are_checked_but_not_run(region):
    write(region, "a", FIRST)
    write(region, "b", SECOND, "0.6")
    name_packs(region, "a.toml", "b.toml")
    said = fenzhi("run", region)
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "[POLICY_SEVERAL] the packs a and b have different rules, and a run pays a whole year by one\n"
        f"  where: {region / 'region.toml'}, field region.policies\n"
        "  to do: name one pack for the year as policy; fenzhi policy diff shows how they differ\n"
    )
    out = done("check", region)
    assert "! error: [POLICY_SEVERAL] the packs a and b have different rules" in out
    note = next(line for line in out.splitlines() if "[POLICY_STAYS]" in line)
    assert note.startswith("! note: [POLICY_STAYS] stays by policy: a (– 2027-03-31): ")
    # Every accepted stay of the year has one of the two.
    counts = [int(part.split(": ")[1]) for part in note.split("policy: ")[1].split(", ")]
    accepted = stays_of_the_year(region)
    assert sum(counts) == accepted
    assert all(counts)


def stays_of_the_year(region: Path) -> int:
    from fenzhi.records import read_stays

    loaded = load_region(region)
    stays = read_stays(loaded.path(loaded.meta.records), quality=loaded.quality).stays
    return stays.filter(pl.col("dscg_time").dt.year() == loaded.meta.year).height


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
