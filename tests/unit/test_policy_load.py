"""Policy packs from files: shipped ones, overlays, and errors that name file, key and value."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fenzhi.errors import PolicyError
from fenzhi.policy import find_policy, load_policy, policies_dir, policy_hash, read_toml

SHIPPED = sorted(path.stem for path in policies_dir().glob("*.toml"))

PACK = """
[meta]
id = "county-1"
title = "县"
scheme = "dip"
version = "1"
{meta}

[[deviation.bands]]
name = "all"
points = "normal"
{rest}
"""


@pytest.fixture
def pack(tmp_path):
    def write(rest="", meta="", name="county.toml"):
        path = tmp_path / name
        path.write_text(PACK.format(meta=meta, rest=rest), encoding="utf-8")
        return path

    return write


def refused(path) -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    assert caught.value.remedy or caught.value.code == "POLICY_MISSING"
    return caught.value


# ---- the packs that come with fenzhi ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_pack_loads_and_is_called_like_its_file(name):
    policy = load_policy(name)
    assert policy.meta.id == name
    assert policy.meta.title
    assert load_policy(policies_dir() / f"{name}.toml") == policy


@pytest.mark.parametrize("name", SHIPPED)
def test_every_section_a_shipped_pack_writes_says_where_it_comes_from(name):
    data = read_toml(find_policy(name))
    sections = {key: value for key, value in data.items() if key != "meta"}
    assert sections
    for key, section in sections.items():
        assert section.get("cite"), key
        assert section.get("confidence"), key


def test_the_national_rules_in_figures():
    new, old = load_policy("national-dip-3.0"), load_policy("national-dip-1.0")
    assert new.weights.year_weights == (1, 2, 7)
    assert (new.weights.trim.low, new.weights.trim.high) == (Decimal("0.025"), Decimal("0.975"))
    assert new.ungrouped.factor == Decimal("0.7")
    assert new.settlement.advance_ratio == Decimal("0.9")
    assert [(band.above, band.upto, band.points) for band in new.deviation.bands] == [
        (0, Decimal("0.5"), "actual_cost"),
        (Decimal("0.5"), 2, "normal"),
        (2, None, "review"),
    ]
    assert [(band.above, band.upto, band.points) for band in old.deviation.bands] == [
        (0, Decimal("0.5"), "ratio"),
        (Decimal("0.5"), 2, "normal"),
        (2, 5, "excess"),
        (5, None, "review"),
    ]


# ---- finding ------------------------------------------------------------------------------------------------------


def test_a_path_beside_the_region_comes_before_one_from_here(pack, tmp_path, monkeypatch):
    near = tmp_path / "region"
    near.mkdir()
    here = pack(name="own.toml")
    (near / "own.toml").write_text(here.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert find_policy("own.toml", near) == near / "own.toml"
    assert find_policy("own.toml").resolve() == here
    (near / "own.toml").unlink()
    assert find_policy("own.toml", near).resolve() == here


def test_an_unknown_pack_is_named_with_the_known_ones():
    with pytest.raises(PolicyError, match="no policy pack 'atlantis'") as caught:
        load_policy("atlantis")
    assert caught.value.code == "POLICY_MISSING"
    for name in SHIPPED:
        assert name in caught.value.remedy


# ---- overlays -----------------------------------------------------------------------------------------------------


def test_a_pack_lays_its_keys_over_the_one_it_extends(pack):
    path = pack(
        meta='extends = "national-dip-3.0"',
        rest="[weights]\nscale = 100\n[weights.trim]\nmin_cases = 5\n",
    )
    policy, base = load_policy(path), load_policy("national-dip-3.0")
    assert policy.meta.id == "county-1"
    assert policy.weights.scale == 100
    assert policy.weights.trim.min_cases == 5
    # what the overlay does not say stays as below, inside sections and tables too
    assert policy.weights.trim.low == base.weights.trim.low
    assert policy.weights.year_weights == base.weights.year_weights
    assert policy.weights.cite == base.weights.cite
    assert policy.scope == base.scope
    # lists are replaced whole
    assert [band.name for band in policy.deviation.bands] == ["all"]


def test_an_overlay_of_an_overlay(pack):
    below = pack(meta='extends = "national-dip-3.0"', rest="[points]\ndecimals = 2\n", name="below.toml")
    above = pack(meta=f'extends = "{below.name}"', rest="[coefficients]\ndecimals = 3\n", name="above.toml")
    policy = load_policy(above)
    assert (policy.points.decimals, policy.coefficients.decimals) == (2, 3)
    assert policy.settlement == load_policy("national-dip-3.0").settlement


def test_packs_that_extend_each_other_are_refused_with_the_way_round(pack):
    pack(meta='extends = "b.toml"', name="a.toml")
    error = refused(pack(meta='extends = "a.toml"', name="b.toml"))
    assert error.code == "POLICY_CIRCLE"
    assert "b.toml -> a.toml -> b.toml" in error.message


def test_a_missing_base_is_named(pack):
    error = refused(pack(meta='extends = "nowhere.toml"'))
    assert error.code == "POLICY_MISSING"
    assert "nowhere.toml" in error.message


# ---- wrong packs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rest", "code", "field", "value"),
    [
        ("[weights]\nskale = 100\n", "POLICY_UNKNOWN_KEY", "weights.skale", 100),
        ("[cheese]\nage = 1\n", "POLICY_UNKNOWN_KEY", "cheese", None),
        ("[weights]\nscale = 0\n", "POLICY_VALUE", "weights.scale", 0),
        ("[points]\ndecimals = 5\n", "POLICY_VALUE", "points.decimals", 5),
        ("[settlement]\nadvance_ratio = 1.01\n", "POLICY_VALUE", "settlement.advance_ratio", Decimal("1.01")),
        ("[settlement]\nresidual = 'lottery'\n", "POLICY_VALUE", "settlement.residual", "lottery"),
        ("[weights.trim]\nlow = 0.99\n", "POLICY_VALUE", "weights.trim.low", None),
    ],
)
def test_a_wrong_key_or_value_is_named(pack, rest, code, field, value):
    path = pack(rest)
    error = refused(path)
    assert (error.code, error.file, error.field, error.value) == (code, str(path), field, value)


def test_broken_toml_names_file_and_line(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text("[meta]\nid = \n", encoding="utf-8")
    error = refused(path)
    assert (error.code, error.file) == ("POLICY_SYNTAX", str(path))
    assert "line 2" in error.message


def test_a_pack_in_another_encoding_is_refused_in_words(tmp_path):
    path = tmp_path / "gb.toml"
    path.write_bytes("[meta]\ntitle = '县'\n".encode("gb18030"))
    assert refused(path).code == "POLICY_SYNTAX"


def test_a_byte_order_mark_is_no_fault(pack):
    path = pack()
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_policy(path).meta.id == "county-1"


def test_a_folder_instead_of_a_file_is_said_in_words(tmp_path):
    with pytest.raises(PolicyError) as caught:
        read_toml(tmp_path)
    assert caught.value.code == "POLICY_MISSING"


def test_figures_are_read_as_they_are_written(pack):
    # 0.7 as a float is 0.6999999999999999556
    policy = load_policy(pack("[ungrouped]\nfactor = 0.7\n"))
    assert policy.ungrouped.factor == Decimal("0.7")


# ---- hash ---------------------------------------------------------------------------------------------------------


def test_the_hash_follows_the_content_not_the_file(pack):
    one = pack("[points]\ndecimals = 2\n", name="one.toml")
    same = pack("# a comment\n[points]\ndecimals   = 2\n", name="same.toml")
    other = pack("[points]\ndecimals = 3\n", name="other.toml")
    hashes = [policy_hash(load_policy(path)) for path in (one, same, other)]
    assert hashes[0] == hashes[1] != hashes[2]
    assert len(hashes[0]) == 64
