"""``fenzhi policy``: what it prints, and how it ends."""

from __future__ import annotations

import json

import pytest

from cli.calls import done, fenzhi
from fenzhi.policy import policies_dir

SHIPPED = sorted(path.stem for path in policies_dir().glob("*.toml"))
PACK = """[meta]
id = "county"
title = "县规则"
scheme = "dip"
version = "1"
extends = "national-dip-3.0"
valid_from = 2027-01-01

[ungrouped]
cite = "县医保发〔2027〕1号第三条"
confidence = "sample"
factor = 0.6
"""


@pytest.fixture
def pack(tmp_path):
    path = tmp_path / "county.toml"
    path.write_text(PACK, encoding="utf-8")
    return path


def rows(out: str) -> list[str]:
    return [" ".join(line.split()) for line in out.splitlines() if line.strip()]


def test_list_names_every_shipped_pack():
    out = done("policy", "list", "--lang", "en")
    assert all(name in out for name in SHIPPED)
    assert "2020-11-01 – 2024-12-31 published article" in " ".join(out.split())
    assert "示例" in done("policy", "list")


def test_show_says_where_each_value_comes_from(pack):
    out = rows(done("policy", "show", pack))
    assert out[0] == "县规则 (county): county.toml → national-dip-3.0.toml"
    assert "[ungrouped] 未入组病例 · 县医保发〔2027〕1号第三条 · 示例" in out
    assert "factor 系数 0.6 county.toml:12" in out
    assert any(line.startswith('rule 规则 "share_of_cost" national-dip-3.0.toml:') for line in out)
    assert "trim.k 标准差倍数 2 缺省" in out
    assert out[-1].startswith("没有、因而不起作用的节: ")
    assert {"stability", "readmission"} <= set(out[-1].split(": ")[1].split(", "))


def test_show_one_section_in_english_and_as_json(pack):
    out = rows(done("policy", "show", pack, "--section", "weights", "--lang", "en"))
    assert out[1].startswith("[weights] weights · ")
    assert out[1].endswith(" · published article (national-dip-3.0.toml)")
    assert not any(line.startswith("[scope]") for line in out)
    data = json.loads(done("policy", "show", pack, "--section", "ungrouped", "--json"))
    assert data["sections"]["ungrouped"]["values"]["factor"]["line"] == 12


def test_show_of_a_section_there_is_not(pack):
    said = fenzhi("policy", "show", pack, "--section", "weihgts")
    assert said.code == 2
    assert said.err.startswith("[POLICY_SECTION] a pack has no such section; nearest is 'weights'\n")


def test_check_of_the_shipped_packs_finds_no_error():
    said = fenzhi("policy", "check", *SHIPPED)
    assert said.code == 0
    assert "error" not in said.out
    assert done("policy", "check", "national-dip-3.0") == "未发现问题\n"


def test_check_names_everything_and_ends_with_2(pack, tmp_path):
    pack.write_text(
        PACK.replace("factor", "faktor").replace("2027-01-01\n", "2027-01-01\nvalid_to = 2026-01-01\n")
    )
    said = fenzhi("policy", "check", pack, tmp_path / "nowhere.toml", "--lang", "en")
    assert (said.code, said.err) == (2, "")
    assert [line for line in said.out.replace(f"{tmp_path}/", "").splitlines() if "to do" not in line] == [
        "error: [POLICY_UNKNOWN_KEY] this key is unknown; nearest is 'factor'",
        "  where: county.toml, line 13, field ungrouped.faktor, value '0.6'",
        "error: [POLICY_VALUE] valid_to lies before valid_from",
        "  where: county.toml, line 8, field meta.valid_to",
        "error: [POLICY_MISSING] there is no policy pack '"
        + str(tmp_path / "nowhere.toml").replace(f"{tmp_path}/", "")
        + "'",
        "  where: nowhere.toml",
        "0 of 2 packs can be used",
    ]


def test_check_of_the_packs_of_one_region(pack, tmp_path):
    later = tmp_path / "later.toml"
    later.write_text(PACK.replace("2027-01-01", "2028-01-01"), encoding="utf-8")
    assert fenzhi("policy", "check", pack, later).code == 0
    said = fenzhi("policy", "check", pack, later, "--one-region")
    assert said.code == 2
    assert "error: [POLICY_OVERLAP] two packs hold from 2028-01-01 without end: county and county" in said.out


def test_diff_is_value_by_value(pack):
    out = rows(done("policy", "diff", "national-dip-3.0", pack))
    assert out[0] == "national-dip-3.0 → county"
    assert "ungrouped.factor 系数 0.7 0.6" in out
    assert not any(line.startswith("weights") for line in out)
    assert done("policy", "diff", "national-drg", "national-drg", "--lang", "en") == "no differences\n"


def test_schema_is_json():
    schema = json.loads(done("policy", "schema"))
    assert set(schema["properties"]) >= {"meta", "weights", "deviation"}
