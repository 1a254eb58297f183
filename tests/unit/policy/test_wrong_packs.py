"""One wrong pack per message: what ``check`` says of it, word for word, and that it says all at once."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import fenzhi.policy
from fenzhi.errors import PolicyError
from fenzhi.policy import load_policy
from fenzhi.policy.check import check_pack

META = """[meta]
id = "county"
title = "县"
scheme = "dip"
version = "1"
valid_from = 2025-01-01
"""
BANDS = """
[deviation]
cite = "t"
[[deviation.bands]]
name = "low"
upto = 0.5
points = "ratio"
[[deviation.bands]]
name = "rest"
above = 0.5
points = "normal"
"""
META_LINES = META.count("\n")


def write(folder: Path, text: str, name: str = "county.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def said(path: Path) -> list[str]:
    """What check finds, the folder taken out."""
    return [finding.text().replace(f"{path.parent}/", "") for finding in check_pack(path)[0]]


def bands(*tables: str, more: str = "") -> str:
    listed = "".join(f"[[deviation.bands]]\n{table}\n" for table in tables)
    return f'\n[deviation]\ncite = "t"\n{more}{listed}'


def section(name: str, text: str) -> str:
    return f'{BANDS}\n[{name}]\ncite = "t"\n{text}\n'


def tracks(*tables: str, ids: str = "aa", head: str = BANDS) -> str:
    listed = (
        f'id = "{name}"\ntitle = "t"\ncite = "t"\n{table}' for name, table in zip(ids, tables, strict=False)
    )
    return head + "".join(f"\n[[tracks]]\n{table}\n" for table in listed)


def family(level: str) -> str:
    return section("auxiliary", f'[[auxiliary.families]]\nname = "f"\n[[auxiliary.families.levels]]\n{level}')


NORMAL = 'points = "normal"'
PAGE = "see docs/reference/policy.md for the keys and their meaning"
# Rest of the pack below [meta]; what is wrong; field; line below [meta].
WRONG = {
    "no band": ('\n[deviation]\ncite = "t"\n', "deviation needs at least one band", "deviation.bands", 2),
    "begin": (bands(f'name = "a"\nabove = 1\n{NORMAL}'), "band 'a' must begin at 0", "deviation.bands.1", 4),
    "gap": (
        bands(f'name = "a"\nupto = 2\n{NORMAL}', f'name = "b"\nabove = 3\n{NORMAL}'),
        "there is a gap between bands 'a' and 'b'",
        "deviation.bands.2",
        8,
    ),
    "overlap": (
        bands(f'name = "a"\nupto = 3\n{NORMAL}', f'name = "b"\nabove = 2\n{NORMAL}'),
        "bands 'a' and 'b' overlap",
        "deviation.bands.2",
        8,
    ),
    "both": (
        bands(f'name = "a"\nupto = 2\n{NORMAL}', f'name = "b"\nabove = 2\nabove_included = true\n{NORMAL}'),
        "the limit 2 must belong to one of the bands 'a' and 'b', not both",
        "deviation.bands.2",
        8,
    ),
    "neither": (
        bands(f'name = "a"\nupto = 2\nupto_included = false\n{NORMAL}', f'name = "b"\nabove = 2\n{NORMAL}'),
        "the limit 2 must belong to one of the bands 'a' and 'b', not neither",
        "deviation.bands.2",
        9,
    ),
    "closed": (
        bands(f'name = "a"\nupto = 2\n{NORMAL}'),
        "the last band 'a' must be open above",
        "deviation.bands.1",
        4,
    ),
    "names": (
        bands(f'name = "a"\nupto = 2\n{NORMAL}', f'name = "a"\nabove = 2\n{NORMAL}'),
        "two bands have the same name",
        "deviation.bands",
        4,
    ),
    "top taken": (
        f'{BANDS}\n[deviation.top_share]\nshare = 0.05\nname = "low"\n',
        "top_share needs a name of its own, 'low' is another band",
        "deviation.top_share.name",
        15,
    ),
    "top limit": (
        f'{BANDS}\n[deviation.top_share]\nshare = 0.05\npoints = "excess"\n',
        "top_share needs a limit for excess formulas, and for them only",
        "deviation.top_share.limit",
        13,
    ),
    "taken": (
        bands(f'name = "unstable"\n{NORMAL}'),
        "no band may be named 'unstable': results use that word for other stays",
        "deviation.bands.1",
        4,
    ),
    "tiers": (
        bands(f'name = "a"\n{NORMAL}')
        + f'[[deviation.tiers]]\n[[deviation.tiers.bands]]\nname = "a"\n{NORMAL}\n',
        "deviation has bands and tiers: keep one (bands = [] takes those of the base away)",
        "deviation",
        2,
    ),
    "tier gap": (
        f'\n[deviation]\n[[deviation.tiers]]\nrw_upto = 1\nbands = [{{ name = "a", {NORMAL} }}]\n'
        f'[[deviation.tiers]]\nrw_above = 2\nbands = [{{ name = "a", {NORMAL} }}]\n',
        "there is a gap between tiers '1' and '2'",
        "deviation.tiers.2",
        6,
    ),
    "criterion twice": (
        section("grouping", 'precedence = ["layer", "layer"]'),
        "precedence lists a criterion twice",
        "grouping.precedence",
        15,
    ),
    "surgery after cost": (
        section("grouping", 'precedence = ["layer", "closest_cost", "no_unmatched_surgery"]'),
        "no_unmatched_surgery must stand before closest_cost",
        "grouping.precedence",
        15,
    ),
    "closest first": (
        section("grouping", 'precedence = ["closest_cost", "layer"]'),
        "precedence must not begin with closest_cost: it only decides between equals",
        "grouping.precedence",
        15,
    ),
    "class order": (
        section("grouping", 'class_order = ["core-surgery"]'),
        "class_order needs the criterion class_order in precedence, and the reverse",
        "grouping.precedence",
        13,
    ),
    "trim order": (
        section("weights.trim", "low = 0.5\nhigh = 0.5").replace('cite = "t"\nlow', "low"),
        "trim: low must be smaller than high",
        "weights.trim.low",
        14,
    ),
    "percentile": (
        section("weights.trim", "high = 1.5").replace('cite = "t"\nhigh', "high"),
        "trim: percentiles must lie between 0 and 1",
        "weights.trim.high",
        14,
    ),
    "benchmark": (
        section("weights", 'method = "benchmark"'),
        "method benchmark needs benchmark_group",
        "weights.method",
        15,
    ),
    "standard": (
        section("weights", 'method = "standard_amount"'),
        "method standard_amount needs standard_yuan",
        "weights.method",
        15,
    ),
    "incomplete": (
        section("incomplete", ""),
        "incomplete says of no stay that it is incomplete: give ways or los_below_days",
        "incomplete",
        13,
    ),
    "steps of a level": (
        section("bed_day", 'med_types = ["1"]\nsteps = [{ level = "3", points_per_day = 1 }]'),
        "bed_day needs steps without level: they hold for all levels not named",
        "bed_day.steps",
        16,
    ),
    "steps closed": (
        section("bed_day", 'med_types = ["1"]\nsteps = [{ upto_days = 3, points_per_day = 1 }]'),
        "the last of the steps without level must be open (no upto_days)",
        "bed_day.steps",
        16,
    ),
    "steps fall": (
        section("bed_day", 'med_types = ["1"]\nsteps = [{ points_per_day = 1 }, { points_per_day = 2 }]'),
        "the steps without level must rise in upto_days, and only the last is open",
        "bed_day.steps",
        16,
    ),
    "no items of a bonus": (
        section("coefficients", 'form = "basic_bonus"'),
        "form = basic_bonus needs items",
        "coefficients.form",
        15,
    ),
    "nothing to multiply": (
        section("coefficients", 'form = "product"'),
        "form = product needs items or levels",
        "coefficients.form",
        15,
    ),
    "weight of a factor": (
        section("coefficients", 'form = "product"\nitems = [{ name = "a", weight = 2 }]'),
        "the factors of a product have no weight",
        "coefficients.items.1.weight",
        16,
    ),
    "item twice": (
        section("coefficients", 'form = "product"\nitems = [{ name = "a" }, { name = "a" }]'),
        "two items have the same name",
        "coefficients.items.2.name",
        16,
    ),
    "no order of levels": (
        section("coefficients", 'form = "group"'),
        "form = group by level needs level_order: the levels, lowest first",
        "coefficients.form",
        15,
    ),
    "level twice": (
        section("coefficients", 'form = "group"\nlevel_order = ["1", "1"]'),
        "level_order names a level twice",
        "coefficients.level_order",
        16,
    ),
    "floor and cap": (
        section("coefficients", "floor = 1.2\ncap = 0.8"),
        "floor is above cap",
        "coefficients.floor",
        15,
    ),
    "level named other": (
        family('name = "other"\nways = [5]'),
        "no level may be named 'other': stays of no level go by that word",
        "auxiliary.families.1.levels.1.name",
        18,
    ),
    "fees without share": (
        family('name = "a"\nways = [5]\nfees = ["drug_fee"]'),
        "level 'a' needs fees and fee_share_from together",
        "auxiliary.families.1.levels.1",
        17,
    ),
    "span upside down": (
        family('name = "a"\nage_from = 9\nage_upto = 3'),
        "level 'a': age_from is larger than age_upto",
        "auxiliary.families.1.levels.1.age_from",
        19,
    ),
    "no condition": (
        family('name = "a"'),
        "level 'a' states no condition: leave it out, the rest is 'other'",
        "auxiliary.families.1.levels.1",
        17,
    ),
    "levels of one name": (
        family('name = "a"\nways = [5]\n[[auxiliary.families.levels]]\nname = "a"\nways = [4]'),
        "family 'f' has two levels of the same name",
        "auxiliary.families.1.levels",
        17,
    ),
    "split by no family": (
        family('name = "a"\nsplit_by = "b"\nways = [5]'),
        "level 'a' of 'f' is split by 'b', which is no other family without split levels",
        "auxiliary.families.1.levels.1.split_by",
        19,
    ),
    "no lists": (
        family('name = "a"\ncci_from = 1'),
        "families that look at diagnoses need comorbidity: the file of the lists",
        "auxiliary.comorbidity",
        13,
    ),
    "neither points nor share": (
        section("add_ons", '[[add_ons.items]]\nname = "a"\noperations = ["1"]'),
        "the add-on 'a' needs points or a share, one of them",
        "add_ons.items.1",
        15,
    ),
    "one operation together": (
        section("add_ons", '[[add_ons.items]]\nname = "a"\noperations = ["1"]\nmatch = "all"\npoints = 1'),
        "the add-on 'a' asks for operations together: list at least two",
        "add_ons.items.1",
        15,
    ),
    "fee twice": (
        section("tcm", 'western_fees = ["tcm_treat_fee"]'),
        "tcm names a fee twice: a fee is either of Chinese medicine or western",
        "tcm",
        13,
    ),
    "track of everybody": (
        tracks('kind = "total_cap"'),
        "track 'a' would take every stay: state who is in",
        "tracks.1.who",
        13,
    ),
    "ids of tracks": (
        tracks('kind = "outpatient"', 'kind = "outside_budget"'),
        "two tracks have the id 'a'",
        "tracks.2.id",
        20,
    ),
    "rows for stays": (
        section("scope", 'other_tracks = { "2105" = "a" }') + tracks('kind = "outpatient"', head=""),
        "track 'a' takes no stays, but scope.other_tracks sends it some",
        "tracks.1.id",
        18,
    ),
    "line of points": (
        tracks('kind = "outpatient"\nform = "points"', 'kind = "procurement_savings"\nline = "a"', ids="ab"),
        "track 'a' splits its budget line by points and must have it alone",
        "tracks.1.line",
        13,
    ),
    "los of a track": (
        tracks('kind = "total_cap"\nwho = { los_from = 9, los_upto = 3 }'),
        "los_from is larger than los_upto",
        "tracks.1.who.los_from",
        18,
    ),
    "steps of a track": (
        tracks('kind = "bed_day"\nsteps = [{ level = "2", yuan_per_day = 1 }]'),
        "track 'a' needs steps without level: they hold for all levels not named",
        "tracks.1.steps",
        18,
    ),
    "no sum": (
        tracks('kind = "day_surgery"'),
        "track 'a' says no sum: give yuan or prices",
        "tracks.1.yuan",
        13,
    ),
    "prices of an operation": (
        tracks(
            'kind = "day_surgery"\nprices = [{ operation = "1", yuan = 1 }, { operation = "1", yuan = 2 }]'
        ),
        "track 'a' has two prices for one operation",
        "tracks.1.prices",
        18,
    ),
    "first tier of an overrun": (
        tracks('kind = "community"\noverrun = [{ above = 0.1, share = 1 }]'),
        "the first tier of the overrun must begin at 0",
        "tracks.1.overrun.1",
        18,
    ),
    "gap in an overrun": (
        tracks('kind = "community"\noverrun = [{ upto = 0.1, share = 1 }, { above = 0.2, share = 1 }]'),
        "tiers of an overrun must follow each other without gap",
        "tracks.1.overrun.2",
        18,
    ),
    "tier upside down": (
        tracks('kind = "community"\noverrun = [{ upto = 0, share = 1 }]'),
        "a tier of an overrun must end above its beginning",
        "tracks.1.overrun.1",
        18,
    ),
    "elastic without its section": (
        section("point_value", 'rate = "elastic"'),
        "rate elastic needs the section elastic, and the reverse",
        "point_value.rate",
        15,
    ),
    "severe without groups": (
        section("point_value", 'rate = "elastic"\n[point_value.elastic]\nform = "severe"'),
        "form severe needs severe_from or severe_groups",
        "point_value.elastic.form",
        17,
    ),
    "rigid without fees": (
        section("point_value", 'rate = "elastic"\n[point_value.elastic]\nform = "rigid_cost"\nfees = []'),
        "form rigid_cost needs fees",
        "point_value.elastic.fees",
        18,
    ),
    "quantiles upside down": (
        section("point_value", "opening_low = 0.9\nopening_high = 0.1"),
        "opening_low must be smaller than opening_high",
        "point_value.opening_low",
        15,
    ),
    "floor above ceiling": (
        section("point_value", "floor = 1.1\nceiling = 0.9"),
        "floor must not be above ceiling",
        "point_value.floor",
        15,
    ),
    "a bounded fixed rate": (
        section("point_value", 'rate = "fixed"\nfloor = 0.9') + '[settlement]\nresidual = "reserve"\n',
        "a fixed rate has no floor and no ceiling",
        "point_value.rate",
        15,
    ),
    "advance and deposit": (
        section("settlement", "advance_ratio = 0.97\ndeposit_ratio = 0.05"),
        "advance_ratio and deposit_ratio together must not be above 1",
        "settlement.deposit_ratio",
        16,
    ),
    "surplus that ends too soon": (
        section("sharing", "[[sharing.surplus]]\nabove = 0\nupto = 0.8\nshare = 1"),
        "the last tier 'surplus 1' must end at 1",
        "sharing.surplus.1",
        15,
    ),
    "overrun with a gap": (
        section(
            "sharing",
            "[[sharing.overrun]]\nabove = 1\nupto = 1.1\nshare = 0.7\n[[sharing.overrun]]\nabove = 1.2\nshare = 0",
        ),
        "there is a gap between tiers 'overrun 1' and 'overrun 2'",
        "sharing.overrun.2",
        19,
    ),
    "fixed": (
        section("point_value", 'rate = "fixed"'),
        "point_value.rate = fixed needs settlement.residual = reserve: "
        "a fixed rate leaves something over or lacks something",
        "",
        None,
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_contradiction_is_named_with_file_line_and_key(tmp_path, case):
    rest, message, field, line = WRONG[case]
    place = "county.toml" + (f", line {META_LINES + line}" if line else "")
    place += f", field {field}" if field else ""
    assert said(write(tmp_path, META + rest)) == [
        f"error: [POLICY_VALUE] {message}\n  where: {place}\n  to do: {PAGE}"
    ]


def messages() -> set[str]:
    """A few words in a row of every contradiction that a section can be refused for."""
    found = set()
    for file in Path(fenzhi.policy.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Fault", "ValueError"):
                text = node.args[0] if node.args else None
                parts = text.values if isinstance(text, ast.JoinedStr) else [text]
                words = [part.value for part in parts if isinstance(part, ast.Constant)]
                found |= {" ".join(max(words, key=len).split()[:4]).rstrip(":")} if words else set()
    return found


def test_every_contradiction_has_a_test():
    tests = "".join(file.read_text(encoding="utf-8") for file in Path(__file__).parents[2].rglob("*.py"))
    assert len(messages()) > 20
    assert not [words for words in messages() if words not in tests], "write a pack that is refused for this"


OUT_OF_RANGE = {
    "share above one": (
        "settlement",
        "advance_ratio",
        "1.01",
        "Input should be less than or equal to 1",
    ),
    "share below nothing": (
        "weights",
        "related_cost_share",
        "-0.1",
        "Input should be greater than or equal to 0",
    ),
    "no scale": ("weights", "scale", "0", "Input should be greater than or equal to 1"),
    "five decimals": ("points", "decimals", "5", "Input should be less than or equal to 4"),
    "no method": (
        "weights",
        "method",
        '"dice"',
        "Input should be 'mean_cost', 'benchmark', 'standard_amount' or 'given'",
    ),
    "no date": (
        "meta",
        "valid_to",
        '"soon"',
        "Input should be a valid date or datetime, input is too short",
    ),
}


@pytest.mark.parametrize("case", OUT_OF_RANGE)
def test_a_value_out_of_range_is_named(tmp_path, case):
    name, key, value, message = OUT_OF_RANGE[case]
    if name == "meta":
        text, line = f"{META}{key} = {value}\n{BANDS}", META_LINES + 1
    else:
        text, line = META + section(name, f"{key} = {value}"), META_LINES + 15
    shown = value.strip('"')
    assert said(write(tmp_path, text)) == [
        f"error: [POLICY_VALUE] {message}\n  where: county.toml, line {line}, field {name}.{key}, value '{shown}'\n"
        f"  to do: {PAGE}"
    ]


def test_an_unknown_key_is_answered_with_the_nearest(tmp_path):
    path = write(tmp_path, META + section("readmission", "days = 10\nfaktor = 0.5"))
    # That factor is missing is the same mistake, and is not said beside it.
    assert said(path) == [
        "error: [POLICY_UNKNOWN_KEY] this key is unknown; nearest is 'factor'\n"
        f"  where: county.toml, line {META_LINES + 16}, field readmission.faktor, value '0.5'\n"
        "  to do: use one of: cite, confidence, days, same_hospital, factor"
    ]


def test_an_unknown_key_in_a_band_and_an_unknown_section(tmp_path):
    text = META + BANDS.replace("above = 0.5", "abov = 0.5") + "\n[sweights]\nscale = 1\n"
    found = said(write(tmp_path, text))
    assert found[0].splitlines()[:2] == [
        "error: [POLICY_UNKNOWN_KEY] this key is unknown; nearest is 'above'",
        f"  where: county.toml, line {META_LINES + 10}, field deviation.bands.2.abov, value '0.5'",
    ]
    assert found[1].splitlines()[:2] == [
        "error: [POLICY_UNKNOWN_KEY] this key is unknown; nearest is 'weights'",
        f"  where: county.toml, line {META_LINES + 13}, field sweights",
    ]
    # Without the key the bands overlap; that is said as well.
    assert "bands 'low' and 'rest' overlap" in found[2]


def test_a_missing_key_is_named(tmp_path):
    text = META.replace('title = "县"\n', "") + BANDS + '\n[readmission]\ncite = "t"\ndays = 1\n'
    first, second = said(write(tmp_path, text))
    assert "this key is missing\n  where: county.toml, line 1, field meta.title\n" in first
    assert (
        f"this key is missing\n  where: county.toml, line {META_LINES + 12}, field readmission.factor\n"
        in second
    )


def test_everything_wrong_is_found_at_once(tmp_path):
    text = META.replace('"1"', '"1"\nvalid_to = 2024-01-01') + bands(
        f'name = "a"\nupto = 2\n{NORMAL}',
        f'name = "incomplete"\nabove = 3\nupto = 4\n{NORMAL}',
        f'name = "c"\nabove = 4\nabove_included = true\nupto = 9\n{NORMAL}',
    )
    text += "\n[weights]\nscael = 1\nscale = 0\n"
    assert [line.splitlines()[0] for line in said(write(tmp_path, text))] == [
        "error: [POLICY_UNKNOWN_KEY] this key is unknown; nearest is 'scale'",
        "error: [POLICY_VALUE] valid_to lies before valid_from",
        "error: [POLICY_VALUE] Input should be greater than or equal to 1",
        "error: [POLICY_VALUE] there is a gap between bands 'a' and 'incomplete'",
        "error: [POLICY_VALUE] the limit 4 must belong to one of the bands 'incomplete' and 'c', not both",
        "error: [POLICY_VALUE] the last band 'c' must be open above",
        "error: [POLICY_VALUE] no band may be named 'incomplete': results use that word for other stays",
    ]


# ---- the chain of extends -----------------------------------------------------------------------------------------


def test_an_error_of_a_base_is_named_with_the_file_of_the_base(tmp_path):
    write(
        tmp_path,
        META + BANDS.replace("above = 0.5", "above = 0.6") + "\n[points]\ndecimals = 9\n",
        "base.toml",
    )
    top = write(tmp_path, META + 'extends = "base.toml"\n[weights]\nscale = 100\n')
    places = [line.splitlines()[1] for line in said(top)]
    assert places == [
        f"  where: base.toml, line {META_LINES + 14}, field points.decimals, value '9'",
        f"  where: base.toml, line {META_LINES + 8}, field deviation.bands.2",
    ]
    with pytest.raises(PolicyError) as caught:
        load_policy(top)
    assert caught.value.file == str(tmp_path / "base.toml")


def test_a_contradiction_that_only_the_overlay_makes_is_the_overlays(tmp_path):
    write(
        tmp_path,
        META + BANDS + '\n[point_value]\nrate = "floating"\n[weights.trim]\nhigh = 0.9\n',
        "base.toml",
    )
    top = write(tmp_path, META + 'extends = "base.toml"\n\n[weights.trim]\nlow = 0.95\n')
    assert (
        said(top)[0].splitlines()[1] == f"  where: county.toml, line {META_LINES + 4}, field weights.trim.low"
    )


def test_a_circle_and_a_missing_base_are_findings_too(tmp_path):
    write(tmp_path, META + 'extends = "a.toml"\n', "b.toml")
    assert said(write(tmp_path, META + 'extends = "b.toml"\n', "a.toml")) == [
        "error: [POLICY_CIRCLE] the packs extend each other in a circle: a.toml -> b.toml -> a.toml\n"
        f"  where: b.toml, line {META_LINES + 1}, field meta.extends, value 'a.toml'\n"
        "  to do: let the national base extend nothing"
    ]
    missing = said(write(tmp_path, META + 'extends = "nowhere"\n'))
    assert missing[0].startswith(
        "error: [POLICY_MISSING] there is no policy pack 'nowhere'\n"
        f"  where: county.toml, line {META_LINES + 1}, field meta.extends, value 'nowhere'\n"
    )


def test_broken_toml_is_a_finding(tmp_path):
    [found] = said(write(tmp_path, "[meta\n"))
    assert found.startswith("error: [POLICY_SYNTAX] this is not readable TOML: ")


# ---- what is allowed but hardly meant -----------------------------------------------------------------------------


def test_a_key_that_nothing_reads_is_a_warning(tmp_path):
    text = META + section("weights", 'method = "mean_cost"\nstandard_yuan = 5000')
    assert said(write(tmp_path, text)) == [
        "warning: [POLICY_UNUSED] nothing reads this key while weights.method is mean_cost\n"
        f"  where: county.toml, line {META_LINES + 16}, field weights.standard_yuan\n"
        "  to do: take it away, or change weights.method"
    ]


def test_what_a_base_says_and_the_pack_turns_off_is_no_fault(tmp_path):
    write(
        tmp_path, META + section("weights.trim", "low = 0.1").replace('cite = "t"\nlow', "low"), "base.toml"
    )
    top = META + 'extends = "base.toml"\n[weights]\ncite = "t"\n[weights.trim]\nmethod = "none"\n'
    assert said(write(tmp_path, top)) == [
        "note: [POLICY_CITE] the section does not say where its figures come from\n"
        f"  where: base.toml, line {META_LINES + 13}, field weights\n"
        "  to do: write cite (document, article) and confidence into the section"
    ]


def test_sections_for_dip_in_a_pack_for_drg(tmp_path):
    text = META.replace('"dip"', '"drg"') + section("grouping", 'comprehensive_type = "highest"')
    [found] = said(write(tmp_path, text))
    assert found.startswith("warning: [POLICY_UNUSED] this is not used: only DIP catalogues are grouped")


def test_figures_changed_under_a_foreign_source_and_inherited_names(tmp_path):
    write(tmp_path, META + section("weights", "scale = 1000"), "base.toml")
    top = META.replace('version = "1"\n', "") + 'extends = "base.toml"\n[weights]\nscale = 100\n'
    assert said(write(tmp_path, top)) == [
        "warning: [POLICY_INHERITED] version comes from base.toml\n"
        "  where: county.toml, line 1, field meta, value '1'\n"
        "  to do: write the pack's own",
        "warning: [POLICY_CITE] the section changes figures, but its source is still that of the pack below\n"
        f"  where: county.toml, line {META_LINES + 1}, field weights\n"
        "  to do: write cite (document, article) and confidence into the section",
    ]


def test_a_base_does_not_hand_its_dates_on(tmp_path):
    write(tmp_path, META + BANDS, "base.toml")
    top = META.replace("valid_from = 2025-01-01\n", 'extends = "base.toml"\nvalid_to = 2024-12-31\n')
    meta = load_policy(write(tmp_path, top)).meta
    assert (meta.valid_from, str(meta.valid_to), meta.extends) == (None, "2024-12-31", "base.toml")
