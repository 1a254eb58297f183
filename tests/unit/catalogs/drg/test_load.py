"""DRG catalogues made, written and read: one form of every table, the same bytes for the same content."""

import stat
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from fenzhi.catalogs import DipCatalog, find_catalog, load_catalog, load_dip_catalog
from fenzhi.catalogs.drg import (
    TABLES,
    DrgCatalog,
    DrgMeta,
    drg_catalogs_dir,
    load_drg_catalog,
    make_drg_catalog,
    render_drg_catalog,
    save_drg_catalog,
)
from fenzhi.errors import CatalogError, OutputError

from . import small

META = DrgMeta(
    id="small",
    title='小 "版"',
    version="1",
    kind="imported",
    note="注",
    valid_from=date(2027, 1, 1),
    retry_other_operations=True,
    ambiguous=False,
)


def _made(**tables: str) -> DrgCatalog:
    return make_drg_catalog(META, small.frames(**tables))


def _error(call: object, *args: object) -> CatalogError:
    with pytest.raises(CatalogError) as caught:
        call(*args)  # type: ignore[operator]
    assert caught.value.remedy, caught.value
    return caught.value


def test_tables_have_the_columns_and_types_of_the_model() -> None:
    catalog = _made(drg=small.TABLES["drg"].replace("\n", ",\n").replace("rule,", "rule,grassroots"))
    assert {name: dict(frame.schema) for name, frame in catalog.tables.items()} == TABLES
    assert catalog.tables["weights"].height == 0
    assert catalog.tables["drg"]["grassroots"].to_list() == [None] * 11
    marked = _made(drg=small.TABLES["drg"].replace("\n", ",是\n").replace("rule,是", "rule,grassroots"))
    assert marked.tables["drg"]["grassroots"].to_list() == [True] * 11


def test_rows_stand_in_the_order_in_which_they_are_tried() -> None:
    catalog = _made(
        mdc=small.TABLES["mdc"].replace("MDCN,女性,1", "MDCN,女性,3"),
        adrg_condition=small.TABLES["adrg_condition"].replace("2,MAIN_PROC_IN", "0,MAIN_PROC_IN"),
    )
    tables = catalog.tables
    assert tables["mdc"]["mdc"].to_list() == ["MDCG", "MDCN"]
    assert tables["adrg"].select("adrg", "alt").rows() == [
        *(("GB1", 1), ("GB1", 2), ("GK1", 1), ("GR1", 1)),
        *(("NA1", 1), ("NZ1", 1)),
    ]
    assert tables["adrg_condition"].select("adrg", "alt", "term", "kind").rows()[:3] == [
        ("GB1", 1, 0, "MAIN_PROC_IN"),
        ("GB1", 1, 1, "HAS_PROC"),
        ("GB1", 2, 1, "PROC_TAGS"),
    ]
    assert tables["drg"]["drg"].to_list()[:5] == ["GB11", "GB15", "GB11", "GB15", "GK19"]
    assert catalog.sources["adrg"].rows.to_list() == [3, 4, 5, 6, 1, 2]


def test_codes_that_are_compared_exactly_stay_as_they_are() -> None:
    codes = small.TABLES["code_list"].replace("0,47.0100,", "0, 47.0100X ,").replace("K66.000", "k66.0+A*")
    members = _made(code_list=codes).tables["code_list"]["code"].to_list()
    assert " 47.0100X " in members
    assert "k66.0+A*" in members
    wide = make_drg_catalog(META.model_copy(update={"code_match": "category"}), small.frames(code_list=codes))
    assert "47.0100X" in wide.tables["code_list"]["code"].to_list()


def test_what_empty_cells_stand_for() -> None:
    adrg = small.TABLES["adrg"].replace(",surgical", ",").replace(",procedure", ",").replace(",medical", ",")
    tables = _made(
        adrg=adrg.replace("GB1,1,", "GB1,,"),
        mdc=small.changed("mdc", "female,off", "female,"),
        drg=small.TABLES["drg"].replace("GR1,1,", "GR1,,"),
        adrg_condition=small.TABLES["adrg_condition"].replace("GK1,1,", "GK1,,"),
    ).tables
    assert dict(tables["adrg"].select("adrg", "type").iter_rows()) == {
        "NA1": "surgical",
        "NZ1": "medical",
        "GB1": "surgical",
        "GK1": "procedure",
        "GR1": "medical",
    }
    assert tables["mdc"]["qy_rule"].to_list() == ["off", "any_proc_valid"]
    for name in ("adrg", "adrg_condition", "drg"):
        assert tables[name]["alt"].null_count() == 0


def test_the_digest_is_that_of_the_content() -> None:
    catalog = _made()
    turned = {name: frame.reverse() for name, frame in small.frames().items() if name in ("mdc", "adrg")}
    columns = {name: frame.select(reversed(frame.columns)) for name, frame in small.frames().items()}
    assert make_drg_catalog(META, {**small.frames(), **turned}) == catalog
    assert make_drg_catalog(META, columns) == catalog
    assert make_drg_catalog(META, catalog.tables) == catalog
    assert hash(make_drg_catalog(META, catalog.tables)) == hash(catalog)
    assert make_drg_catalog(META.model_copy(update={"ambiguous": True}), catalog.tables) != catalog
    assert _made(cc=small.changed("cc", "CC,2", "CC,1")) != catalog


def test_written_and_read_again_it_is_the_same(tmp_path: Path) -> None:
    weights = "drg,weight\nGB11,1.5000\n"
    catalog = _made(weights=weights, mdc=small.changed("mdc", "消化", '"消,化 ""x"""'))
    save_drg_catalog(catalog, tmp_path / "a")
    again = load_drg_catalog(tmp_path / "a")
    assert again == catalog
    assert (again.path, again.meta) == (tmp_path / "a", META)
    assert again.tables["weights"]["weight"].to_list() == ["1.5000"]
    assert {n: f.rows() for n, f in again.tables.items()} == {n: f.rows() for n, f in catalog.tables.items()}
    save_drg_catalog(again, tmp_path / "b")
    files = {file.name: file.read_bytes() for file in (tmp_path / "a").iterdir()}
    assert files == render_drg_catalog(catalog)
    assert {file.name: file.read_bytes() for file in (tmp_path / "b").iterdir()} == files
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "a").iterdir()} == {0o600}


def test_tables_that_need_not_be_there_are_not_written(tmp_path: Path) -> None:
    frames = {name: frame for name, frame in small.frames().items() if not name.startswith("icd")}
    frames["cc"] = frames["cc"].clear()
    save_drg_catalog(make_drg_catalog(META, frames), tmp_path / "a")
    names = {file.stem for file in (tmp_path / "a").glob("*.csv")}
    assert names == set(TABLES) - {"icd10", "icd9cm3", "weights"}
    assert load_drg_catalog(tmp_path / "a").tables["cc"].height == 0


def test_nothing_is_overwritten_and_nothing_unsound_is_written(tmp_path: Path) -> None:
    save_drg_catalog(_made(), tmp_path / "a")
    with pytest.raises(OutputError):
        save_drg_catalog(_made(), tmp_path / "a")
    unsound = _made(adrg=small.changed("adrg", "MDCG,3", "MDCG,2"))
    assert _error(save_drg_catalog, unsound, tmp_path / "b").code == "CATALOG_ORDER"
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("table", "column"),
    [(table, column) for table, columns in TABLES.items() for column in columns if table != "weights"],
)
def test_columns_that_may_be_absent_and_those_that_may_not(table: str, column: str) -> None:
    frames = small.frames()
    frames[table] = frames[table].drop(column, strict=False)
    optional = {
        *(("mdc", "qy_rule"), ("mdc", "qy_after_n_adrg"), ("mdc_dx", "trauma_site"), ("adrg", "alt")),
        *(("adrg", "type"), ("adrg", "qy_side"), ("drg", "alt"), ("drg", "grassroots")),
        *(("adrg_condition", name) for name in ("alt", "mdc", "eval_order", "term", "arg2")),
        *(("code_list", "pos"), ("code_list", "tag"), ("valid_procedure", "name")),
        *((book, name) for book in ("icd10", "icd9cm3") for name in ("name", "map_to")),
    }
    if (table, column) in optional:
        made = make_drg_catalog(META, frames).tables[table]
        assert dict(made.schema) == TABLES[table]
        return
    error = _error(make_drg_catalog, META, frames)
    assert (error.code, error.file, error.field) == ("TABLE_COLUMN", f"{table}.csv", column)


def test_what_cannot_be_made() -> None:
    frames = small.frames()
    error = _error(make_drg_catalog, META, {**frames, "drgs": frames["drg"]})
    assert (error.code, error.value) == ("CATALOG_COLUMN", "drgs")
    without = {name: frame for name, frame in frames.items() if name != "cc"}
    error = _error(make_drg_catalog, META, without)
    assert (error.code, error.file) == ("TABLE_MISSING", "cc.csv")
    extra = frames["mdc"].with_columns(pl.lit("x").alias("remark"))
    error = _error(make_drg_catalog, META, {**frames, "mdc": extra})
    assert (error.code, error.file, error.field) == ("CATALOG_COLUMN", "mdc.csv", "remark")
    number = small.frames(drg=small.changed("drg", "GR1,1,2,cc", "GR1,1,second,cc"))
    error = _error(make_drg_catalog, META, number, {"drg": "x.xlsx, sheet DRG"})
    assert (error.code, error.file, error.row) == ("CATALOG_VALUE", "x.xlsx, sheet DRG", 9)
    assert (error.field, error.value) == ("test_order", "second")
    numbered = number["drg"].with_columns(pl.int_range(101, 112).alias("source_row"))
    assert _error(make_drg_catalog, META, {**number, "drg": numbered}).row == 109
    flag = frames["drg"].with_columns(pl.lit("maybe").alias("grassroots"))
    error = _error(make_drg_catalog, META, {**frames, "drg": flag})
    assert (error.code, error.row, error.field) == ("CATALOG_VALUE", 1, "grassroots")


@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        ('scheme = "drg"', 'scheme = "drg', "CATALOG_SYNTAX", None),
        ('kind = "imported"', 'kind = "mine"', "CATALOG_META", "catalog.kind"),
        ('version = "1"\n', "", "CATALOG_META", "catalog.version"),
        ("ambiguous = false", "ambigious = false", "CATALOG_UNKNOWN_KEY", "catalog.ambigious"),
        ("ambiguous = false", "ambiguous = false\n[dialect]", "CATALOG_UNKNOWN_KEY", "dialect"),
        (
            "valid_from = 2027-01-01",
            "valid_from = 2027-01-01\nvalid_to = 2026-01-01",
            "CATALOG_META",
            "catalog",
        ),
    ],
)
def test_errors_of_catalog_toml(tmp_path: Path, old: str, new: str, code: str, field: str | None) -> None:
    save_drg_catalog(_made(), tmp_path / "a")
    file = tmp_path / "a" / "catalog.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    error = _error(load_drg_catalog, tmp_path / "a")
    assert (error.code, error.file, error.field) == (code, str(file), field)


def test_a_folder_that_is_none_and_a_table_that_is_gone(tmp_path: Path) -> None:
    error = _error(load_drg_catalog, tmp_path / "a")
    assert (error.code, error.file) == ("CATALOG_MISSING", str(tmp_path / "a" / "catalog.toml"))
    save_drg_catalog(_made(), tmp_path / "a")
    (tmp_path / "a" / "cc_exclusion.csv").unlink()
    error = _error(load_drg_catalog, tmp_path / "a")
    assert (error.code, error.file) == ("TABLE_MISSING", str(tmp_path / "a" / "cc_exclusion.csv"))


def test_an_error_in_a_folder_names_its_file_and_row(tmp_path: Path) -> None:
    save_drg_catalog(_made(), tmp_path / "a")
    file = tmp_path / "a" / "drg.csv"
    text = file.read_text(encoding="utf-8").replace("GR1,1,2,cc,", "GR1,1,2,ccc,")
    file.write_text(text, encoding="utf-8")
    error = _error(load_catalog, tmp_path / "a")
    row = next(n for n, line in enumerate(text.splitlines()) if ",ccc," in line)
    assert (error.code, error.file, error.row) == ("CATALOG_UNKNOWN_KIND", str(file), row)


def test_load_catalog_goes_by_the_scheme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_drg_catalog(_made(), tmp_path / "a")
    assert load_catalog("a", near=tmp_path) == _made()
    assert isinstance(load_catalog("demonstration-3.0"), DipCatalog)
    assert load_dip_catalog("demonstration-3.0").meta.scheme == "dip"
    error = _error(load_dip_catalog, tmp_path / "a")
    assert (error.code, error.field, error.value) == ("CATALOG_SCHEME", "catalog.scheme", "drg")
    assert "a DIP catalogue is needed here" in error.message
    save_drg_catalog(_made(), tmp_path / "shipped" / "drg" / "mine")
    monkeypatch.setattr("fenzhi.catalogs.drg.load.shipped_dir", lambda: tmp_path / "shipped")
    assert find_catalog("mine") == tmp_path / "shipped" / "drg" / "mine" == drg_catalogs_dir() / "mine"
    assert "mine" in str(_error(find_catalog, "nothing").remedy)
