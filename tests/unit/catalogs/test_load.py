from pathlib import Path

import polars as pl
import pytest

from fenzhi.catalogs import (
    CatalogMeta,
    Dialect,
    DipCatalog,
    find_catalog,
    load_catalog,
    make_catalog,
    save_catalog,
)
from fenzhi.catalogs.models import GROUPS_SCHEMA
from fenzhi.errors import CatalogError, OutputError

TOML = """[catalog]
id = "test"
title = "试验"
version = "1"
kind = "built"
layers = ["pregroup", "basic", "comprehensive"]
synthetic = true

[dialect]
form = "or_of_ands"
"""
HEADER = (
    "group_id,name,layer,main_diag,treatment,main_oprn,"
    "birth_weight_min_g,birth_weight_max_g,age_days_max,grassroots"
)
GOOD = "JC-1,甲,basic,K35.8,operation,47.0100,,,,"


def _folder(tmp_path: Path, *rows: str, toml: str = TOML, header: str = HEADER, **files: str) -> Path:
    folder = tmp_path / "catalog"
    folder.mkdir()
    (folder / "catalog.toml").write_text(toml, encoding="utf-8")
    (folder / "groups.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def _error(folder: Path) -> CatalogError:
    with pytest.raises(CatalogError) as caught:
        load_catalog(folder)
    assert caught.value.remedy, caught.value
    return caught.value


def test_cells_come_in_one_spelling_with_their_types(tmp_path: Path) -> None:
    catalog = load_catalog(
        _folder(
            tmp_path,
            'JC-1, 甲 ,basic,"k35.8｜\nK35.800X001",operation,４７．０１００,,,,是',
            "XQ-1,乙,pregroup,P07,any,,0,999,28,",
        )
    )
    groups = catalog.groups
    assert dict(groups.schema) == GROUPS_SCHEMA
    assert groups.select("name", "main_diag", "main_oprn", "grassroots").row(0) == (
        "甲",
        "K35.8|K35.800x001",
        "47.0100",
        True,
    )
    assert groups.select("birth_weight_min_g", "birth_weight_max_g", "age_days_max", "grassroots").row(1) == (
        0,
        999,
        28,
        False,
    )
    assert groups["note"].to_list() == [None, None]
    assert (catalog.exclusions.height, catalog.operations.height, catalog.code_sets) == (0, 0, {})


def test_found_by_path_beside_a_file_or_by_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _folder(tmp_path, GOOD)
    assert load_catalog("catalog", near=tmp_path).path == folder
    assert load_catalog("demonstration-3.0").meta.id == "demonstration-3.0"
    monkeypatch.chdir(tmp_path)
    assert load_catalog("catalog").meta.id == "test"
    with pytest.raises(CatalogError, match=r"no catalogue 'nothing'") as caught:
        find_catalog("nothing")
    assert caught.value.code == "CATALOG_MISSING"
    assert "demonstration-3.0" in str(caught.value)


def _rich() -> DipCatalog:
    meta = CatalogMeta(
        id="rich",
        title='甲"乙\\',
        version="1",
        kind="imported",
        note="a\nb",
        layers=("basic",),
        dialect=Dialect("and_of_ors", or_="/"),
        valid_from="2027-01-01",
        valid_to="2028-12-31",
        synthetic=False,
    )
    groups = pl.DataFrame(
        {
            "group_id": ["B-1", "A-2"],
            "name": ['含,逗号和"引号"', " 空白 "],
            "layer": ["basic", "basic"],
            "main_diag": ["@TB/K35.8", "P07"],
            "treatment": ["operation", "any"],
            "main_oprn": ["47.0100/47.0901+54.2100", ""],
            "birth_weight_max_g": [None, 999],
            "grassroots": [True, None],
        }
    )
    exclusions = pl.DataFrame({"kind": ["main_within"], "code": ["39.95X00"], "within": ["N17-N19/@TB"]})
    operations = pl.DataFrame({"code": ["47.0100"], "name": ["x"], "type": ["surgery"]})
    return make_catalog(
        meta, groups, code_sets={"TB": ("A15", "U84.300")}, exclusions=exclusions, operations=operations
    )


def test_what_is_saved_is_loaded_and_the_bytes_are_stable(tmp_path: Path) -> None:
    catalog = _rich()
    save_catalog(catalog, tmp_path / "one")
    again = load_catalog(tmp_path / "one")
    assert again == catalog
    assert hash(again) == hash(catalog)
    assert again.meta == catalog.meta
    assert again.groups.equals(catalog.groups)
    assert again.exclusions.equals(catalog.exclusions)
    assert again.operations.equals(catalog.operations)
    assert again.code_sets == catalog.code_sets
    save_catalog(again, tmp_path / "two")
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    expected = ["catalog.toml", "code_sets.csv", "exclusions.csv", "groups.csv", "operations.csv"]
    assert names == expected
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_demonstration_catalogue_survives_saving(tmp_path: Path) -> None:
    catalog = load_catalog("demonstration-3.0")
    save_catalog(catalog, tmp_path / "copy")
    assert load_catalog(tmp_path / "copy") == catalog


def test_the_digest_follows_content_not_spelling(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "c").mkdir()
    one = load_catalog(_folder(tmp_path / "a", GOOD))
    same = load_catalog(_folder(tmp_path / "b", "JC-1,甲,basic, k35.8,operation,４７.0100,,,,否"))
    other = load_catalog(_folder(tmp_path / "c", GOOD.replace("K35.8", "K35.9")))
    assert one == same
    assert one != other
    assert one != "JC-1"


def test_saving_overwrites_nothing_and_refuses_errors(tmp_path: Path) -> None:
    folder = _folder(tmp_path, GOOD)
    catalog = load_catalog(folder)
    with pytest.raises(OutputError):
        save_catalog(catalog, folder)
    broken = make_catalog(catalog.meta, catalog.groups.with_columns(layer=pl.lit("attic")))
    with pytest.raises(CatalogError, match="unknown layer"):
        save_catalog(broken, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("row", "code", "field", "value", "words"),
    [
        (",甲,basic,K35.8,conservative,,,,,", "CATALOG_BLANK", "group_id", None, "no group_id"),
        ("JC-2,,basic,K35.8,conservative,,,,,", "CATALOG_BLANK", "name", None, "JC-2 has no name"),
        ("JC-2,甲,,K35.8,conservative,,,,,", "CATALOG_BLANK", "layer", None, "no layer"),
        ("JC-2,甲,basic,K35.8,,,,,,", "CATALOG_BLANK", "treatment", None, "no treatment"),
        ("JC-1,甲,basic,K35.9,conservative,,,,,", "CATALOG_DUPLICATE_ID", "group_id", "JC-1", "rows 1 and 2"),
        ("JC-2,甲,merged,K35.8,conservative,,,,,", "CATALOG_LAYER", "layer", "merged", "unknown layer"),
        (
            "JC-2,甲,basic,K35.8,opreation,47.0100,,,,",
            "CATALOG_TREATMENT",
            "treatment",
            "opreation",
            "unknown tr",
        ),
        (
            "JC-2,甲,basic,K35.8,operation,47.0100|,,,,",
            "CATALOG_CELL",
            "main_oprn",
            "47.0100|",
            "JC-2: there is n",
        ),
        ("JC-2,甲,basic,C75-C00,conservative,,,,,", "CATALOG_CELL", "main_diag", "C75-C00", "ends before"),
        ("JC-2,甲,basic,@TB,conservative,,,,,", "CATALOG_SET", "main_diag", "@TB", "named set @TB"),
        (
            "JC-2,甲,basic,P07,any,,1000,999,,",
            "CATALOG_WEIGHT_BAND",
            "birth_weight_min_g",
            "1000",
            "1000 to 999",
        ),
        ("JC-2,甲,basic,P07,any,,-1,999,,", "CATALOG_WEIGHT_BAND", "birth_weight_min_g", "-1", "-1 to 999"),
        ("JC-2,甲,basic,P07,any,,,,-1,", "CATALOG_AGE", "age_days_max", "-1", "negative"),
        ("JC-2,甲,basic,P07,any,,1e3,,,", "CATALOG_VALUE", "birth_weight_min_g", "1e3", "not a whole number"),
        ("JC-2,甲,basic,P07,any,,,,28.5,", "CATALOG_VALUE", "age_days_max", "28.5", "not a whole number"),
        ("JC-2,甲,basic,P07,any,,,,,maybe", "CATALOG_VALUE", "grassroots", "maybe", "not true or false"),
        (
            "JC-2,甲,basic,K35.8,operation,,,,,",
            "CATALOG_CONTRADICTION",
            "main_oprn",
            None,
            "needs operations",
        ),
        (
            "JC-2,甲,basic,K35.8,any,47.0100,,,,",
            "CATALOG_CONTRADICTION",
            "main_oprn",
            "47.0100",
            "takes no op",
        ),
        (
            "JC-2,甲,basic,K35.8,surgery,,,,,",
            "CATALOG_CONTRADICTION",
            "treatment",
            "surgery",
            "kind of compre",
        ),
        (
            "K35,甲,comprehensive,K35,operation,47.0100,,,,",
            "CATALOG_CONTRADICTION",
            "treatment",
            "operation",
            "keyed by",
        ),
        (
            "JC-2,甲,basic, K35.8,operation,47.01 00,,,,",
            "CATALOG_SAME_RULE",
            "group_id",
            "JC-2",
            r"JC-1 \(row 1\) and JC-2",
        ),
        ("JC-2,甲,basic,K35.8,operation", "TABLE_ROW", None, None, "5 cells, the header 10"),
    ],
)
def test_errors_of_groups(
    tmp_path: Path, row: str, code: str, field: str | None, value: str | None, words: str
) -> None:
    error = _error(_folder(tmp_path, GOOD, row))
    assert (error.code, error.row, error.field) == (code, 2, field)
    assert (None if error.value is None else str(error.value)) == value
    assert error.file == str(tmp_path / "catalog" / "groups.csv")
    with pytest.raises(CatalogError, match=words):
        raise error


def test_a_catalogue_needs_groups(tmp_path: Path) -> None:
    error = _error(_folder(tmp_path))
    assert error.code == "CATALOG_EMPTY"
    assert error.file is not None
    assert error.file.endswith("groups.csv")


def test_files_and_columns_must_be_there(tmp_path: Path) -> None:
    folder = _folder(tmp_path, GOOD)
    (folder / "groups.csv").unlink()
    error = _error(folder)
    assert error.code == "TABLE_MISSING"
    assert error.file == str(folder / "groups.csv")
    (folder / "groups.csv").write_text("group_id,name,layer,main_diag\n", encoding="utf-8")
    error = _error(folder)
    assert (error.code, error.field) == ("TABLE_COLUMN", "treatment")
    (folder / "groups.csv").write_text(f"{HEADER},main_opm\n", encoding="utf-8")
    error = _error(folder)
    assert (error.code, error.field) == ("CATALOG_COLUMN", "main_opm")


@pytest.mark.parametrize(
    ("name", "text", "code", "row", "field"),
    [
        ("code_sets", "set,code\nTB,A15\nTB,\n", "CATALOG_BLANK", 2, "code"),
        ("code_sets", "set,code\n,A15\n", "CATALOG_BLANK", 1, "set"),
        ("code_sets", "set,code\nTB,A15|A16\n", "CATALOG_CELL", None, "code"),
        ("code_sets", "set,code\nTB,@OTHER\n", "CATALOG_CELL", None, "code"),
        ("code_sets", "set,diagnosis\nTB,A15\n", "TABLE_COLUMN", None, "code"),
        ("exclusions", "kind,code\ndiagnosis,A16.000\nbanned,47.0100\n", "CATALOG_EXCLUSION_KIND", 2, "kind"),
        ("exclusions", "kind,code\n,47.0100\n", "CATALOG_EXCLUSION_KIND", 1, "kind"),
        ("exclusions", "kind,code\ndiagnosis,\n", "CATALOG_BLANK", 1, "code"),
        ("exclusions", "kind,code\nmain_within,47.0100\n", "CATALOG_EXCLUSION_RANGE", 1, "within"),
        (
            "exclusions",
            "kind,code,within\ncannot_be_main,47.0100,K35\n",
            "CATALOG_EXCLUSION_RANGE",
            1,
            "within",
        ),
        ("exclusions", "kind,code,within\nmain_within,47.0100,K35|\n", "CATALOG_CELL", 1, "within"),
        ("exclusions", "kind,code,within\nmain_within,47.0100,@TB\n", "CATALOG_SET", 1, "within"),
        (
            "exclusions",
            "kind,code\ncannot_be_main,47.0100\nas_conservative,47.0100\n",
            "CATALOG_EXCLUSION_TWICE",
            2,
            "code",
        ),
        ("operations", "code,type\n47.0100,开刀\n", "OPERATION_TYPE", 1, "type"),
    ],
)
def test_errors_of_the_other_files(
    tmp_path: Path, name: str, text: str, code: str, row: int | None, field: str
) -> None:
    error = _error(_folder(tmp_path, GOOD, **{name: text}))
    assert (error.code, error.row, error.field) == (code, row, field)
    assert error.file == str(tmp_path / "catalog" / f"{name}.csv")


@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        ("[catalog]", "[catalog", "CATALOG_SYNTAX", None),
        ("[dialect]", "[dialekt]", "CATALOG_UNKNOWN_KEY", "dialekt"),
        ('form = "or_of_ands"', 'fomr = "or_of_ands"', "CATALOG_UNKNOWN_KEY", "dialect.fomr"),
        ('form = "or_of_ands"', 'form = "xor"', "CATALOG_DIALECT", "dialect.form"),
        ('form = "or_of_ands"', 'and = "|"', "CATALOG_DIALECT", "dialect.and"),
        ('title = "试验"', 'titel = "试验"', "CATALOG_META", "catalog.title"),
        ('version = "1"', 'version = "1"\ncolour = "red"', "CATALOG_UNKNOWN_KEY", "catalog.colour"),
        ('kind = "built"', 'kind = "official"', "CATALOG_META", "catalog.kind"),
        ('"basic", ', '"basic", "basic", ', "CATALOG_META", "catalog"),
        ('"basic", ', '"Basic", ', "CATALOG_META", "catalog"),
        ("synthetic = true", "", "CATALOG_META", "catalog.synthetic"),
        ('id = "test"', 'id = "Te st"', "CATALOG_META", "catalog.id"),
        (
            "synthetic = true",
            "synthetic = true\nvalid_from = 2028-01-01\nvalid_to = 2027-01-01",
            "CATALOG_META",
            "catalog",
        ),
    ],
)
def test_errors_of_catalog_toml(tmp_path: Path, old: str, new: str, code: str, field: str | None) -> None:
    assert TOML.count(old) == 1
    error = _error(_folder(tmp_path, GOOD, toml=TOML.replace(old, new)))
    assert (error.code, error.field) == (code, field)
    assert error.file == str(tmp_path / "catalog" / "catalog.toml")
