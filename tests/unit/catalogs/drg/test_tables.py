"""The table form: files, packed files, version.csv, and what is said about what is left out."""

import gzip
from pathlib import Path

import pytest

from fenzhi.catalogs.drg import DrgCatalog, check_drg_catalog, describe, import_tables, read_table_form
from fenzhi.catalogs.drg.rules import parse_drg_rule
from fenzhi.errors import CatalogError

from . import small


def _error(src: Path, **given: object) -> CatalogError:
    with pytest.raises(CatalogError) as caught:
        import_tables(src, **given)
    assert caught.value.remedy, caught.value
    return caught.value


def _imported(folder: Path, **tables: str) -> DrgCatalog:
    return import_tables(small.write(folder, **tables))


def test_a_version_is_imported_with_its_switches(tmp_path: Path) -> None:
    catalog = _imported(tmp_path)
    meta = catalog.meta
    assert (meta.id, meta.title, meta.version, meta.kind) == (
        "small-1",
        "CHS-DRG Small 1",
        "Small 1",
        "imported",
    )
    assert (meta.retry_other_operations, meta.ambiguous, meta.code_match) == (True, True, "exact")
    assert (meta.note, meta.translate_codes) == ("source: made up for tests", False)
    assert check_drg_catalog(catalog) == []


def test_what_is_given_counts_before_version_csv(tmp_path: Path) -> None:
    src = small.write(tmp_path)
    meta = import_tables(src, id="x", title="名", version=None, translate_codes=True, ambiguous=False).meta
    assert (meta.id, meta.title, meta.version, meta.translate_codes) == ("x", "名", "Small 1", True)
    assert meta.ambiguous is False
    error = _error(src, id="A B")
    assert (error.code, error.field, error.value) == ("CATALOG_META", "catalog.id", "A B")
    assert _error(src, colour="red").code == "CATALOG_UNKNOWN_KEY"


@pytest.mark.parametrize(
    ("version", "slug"), [("CHS-DRG 1.1 (2021)", "chs-drg-1.1-2021"), ("金华", "imported-db978c")]
)
def test_the_id_is_made_of_the_version(tmp_path: Path, version: str, slug: str) -> None:
    assert _imported(tmp_path, version=f"key,value\nversion,{version}\n").meta.id == slug


@pytest.mark.parametrize(
    ("rows", "retry", "ambiguous"),
    [
        ("", False, True),
        ("retry_each_other_procedure_when_0000,0\nqy,off\n", False, False),
        ("retry_each_other_procedure_when_0000,1\nqy,any_proc_valid\n", True, True),
        ("retry_each_other_procedure_when_0000,\nqy,\n", False, True),
        ("qy,OFF\n", False, False),
    ],
)
def test_switches_of_version_csv(tmp_path: Path, rows: str, retry: bool, ambiguous: bool) -> None:
    meta = _imported(tmp_path, version=f"key,value\nversion,1\n{rows}").meta
    assert (meta.retry_other_operations, meta.ambiguous) == (retry, ambiguous)


def test_packed_files_marks_of_byte_order_and_gb18030(tmp_path: Path) -> None:
    plain = _imported(tmp_path / "plain")
    folder = tmp_path / "packed"
    folder.mkdir()
    for number, (name, text) in enumerate(small.TABLES.items()):
        encoded = text.replace("\n", "\r\n").encode(("utf-8", "utf-8-sig", "gb18030")[number % 3])
        (folder / f"{name}.csv.gz").write_bytes(gzip.compress(encoded))
    assert import_tables(folder) == plain
    (folder / "cc.csv.gz").write_bytes(b"no zip")
    error = _error(folder)
    assert (error.code, error.file) == ("TABLE_ENCODING", str(folder / "cc.csv.gz"))


@pytest.mark.parametrize("table", [name for name in small.TABLES if not name.startswith("icd")])
def test_a_missing_file_is_named(tmp_path: Path, table: str) -> None:
    error = _error(small.write(tmp_path, **{table: None}))
    assert (error.code, error.file) == ("TABLE_MISSING", str(tmp_path / f"{table}.csv"))


def test_code_books_may_be_missing(tmp_path: Path) -> None:
    catalog = import_tables(small.write(tmp_path, icd10=None, icd9cm3=None))
    assert (catalog.tables["icd10"].height, catalog.tables["icd9cm3"].height) == (0, 0)
    assert check_drg_catalog(catalog) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert _error(tmp_path / "no").code == "CATALOG_MISSING"


def test_version_csv_needs_a_version_and_a_clear_switch(tmp_path: Path) -> None:
    error = _error(small.write(tmp_path, version="key,value\nqy,off\n"))
    assert (error.code, error.file, error.field) == (
        "CATALOG_BLANK",
        str(tmp_path / "version.csv"),
        "version",
    )
    text = "key,value\nversion,1\nretry_each_other_procedure_when_0000,maybe\n"
    error = _error(small.write(tmp_path, version=text))
    assert (error.code, error.row, error.value) == ("CATALOG_VALUE", 2, "maybe")
    assert _error(small.write(tmp_path, version="key\nversion\n")).code == "TABLE_COLUMN"


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    error = _error(small.write(tmp_path, cc=small.TABLES["cc"].replace("level", "grade")))
    assert (error.code, error.file, error.field) == ("TABLE_COLUMN", str(tmp_path / "cc.csv"), "level")


def test_a_remark_column_is_passed_over_and_said_but_no_misspelt_one(tmp_path: Path) -> None:
    remark = small.TABLES["cc"].replace("\n", ",x\n").replace("table,x", "table,remark")
    assert "cc.csv: columns not used: remark" in _imported(tmp_path / "a", cc=remark).meta.note
    misspelt = small.TABLES["code_list"].replace(",tag", ",tags")
    error = _error(small.write(tmp_path / "b", code_list=misspelt))
    assert (error.code, error.field) == ("CATALOG_COLUMN", "tags")


def test_rows_without_code_are_left_out_and_said(tmp_path: Path) -> None:
    lists = small.changed("code_list", "GR1.dx,0,K35.800", "GR1.dx,0,")
    catalog = _imported(
        tmp_path, code_list=lists, cc_exclusion=small.changed("cc_exclusion", "K35.800,2", "K35.800,")
    )
    assert "code_list.csv: 1 rows without code left out" in catalog.meta.note
    assert "cc_exclusion.csv: 1 rows without main_dx or excl_table left out" in catalog.meta.note
    assert catalog.tables["code_list"].height == 10
    assert catalog.sources["code_list"].rows.to_list() == [1, 2, 3, 4, 5, 6, 7, 8, 10, 11]


def test_weights_by_either_name_of_the_code(tmp_path: Path) -> None:
    rows = "".join(
        f"{code},0.5\n" for code in ["GB11", "GB15", "GK19", "GR11", "GR13", "GR17", "GR15", "NA19", "NZ19"]
    )
    for name in ("drg", "drg_code"):
        catalog = _imported(tmp_path, weights=f"{name},weight\n{rows}")
        assert catalog.tables["weights"].columns == ["drg", "weight"]
        assert check_drg_catalog(catalog) == []
    error = _error(small.write(tmp_path, weights=f"drg,weight\n{rows}GX19,1\n"))
    assert (error.code, error.file, error.row) == ("CATALOG_WEIGHT_GROUP", str(tmp_path / "weights.csv"), 10)


def test_read_table_form_gives_text_and_keys(tmp_path: Path) -> None:
    tables, keys = read_table_form(small.write(tmp_path))
    assert keys == {
        "version": "Small 1",
        "source": "made up for tests",
        "retry_each_other_procedure_when_0000": "1",
        "qy": "on",
    }
    assert tables["mdc"].drop("source_row").rows()[0] == ("MDCN", "女性", "1", "main_dx;female", "off", "1")
    assert "weights" not in tables


def test_a_catalogue_in_figures(tmp_path: Path) -> None:
    summary = describe(_imported(tmp_path))
    assert summary.chapters.columns == [
        *(
            "mdc",
            "name",
            "entry_rule",
            "qy_rule",
            "adrgs",
            "surgical",
            "procedure",
            "medical",
            "drgs",
            "diagnoses",
        )
    ]
    assert summary.chapters.rows() == [
        ("MDCN", "女性", "main_dx;female", "off", 2, 1, 0, 1, 2, 2),
        ("MDCG", "消化", "main_dx", "any_proc_valid", 3, 1, 1, 1, 7, 3),
    ]
    assert summary.sizes == {
        **{"chapters": 2, "adrgs": 5, "adrg_alternatives": 1, "conditions": 7, "drgs": 9, "code_lists": 6},
        **{"listed_codes": 11, "chapter_diagnoses": 5, "mcc": 1, "cc": 1, "exclusion_tables": 2},
        **{"exclusion_diagnoses": 2, "valid_procedures": 6, "diagnosis_book": 6, "operation_book": 6},
        "weights": 0,
    }
    assert summary.switches == {
        **{"code_match": "exact", "translate_codes": False, "retry_other_operations": True, "ambiguous": True}
    }


@pytest.mark.parametrize(
    ("rule", "kind", "codes", "texts"),
    [
        ("any_proc==47.0100", "ANY_PROC_IN", ("47.0100",), ()),
        ("any_proc=='47.0100'|'47.0900'", "ANY_PROC_IN", ("47.0100", "47.0900"), ()),
        ("dept=='ICU'", "COMPARE", (), ("ICU",)),
        ('leaving_type_in:"1"|"2"', "ONE_OF", (), ("1", "2")),
    ],
)
def test_values_in_quotation_marks_are_values(
    rule: str, kind: str, codes: tuple[str, ...], texts: tuple[str, ...]
) -> None:
    (term,) = parse_drg_rule(rule, (), {})
    assert (term.kind, term.codes, term.texts) == (kind, codes, texts)


def test_versions_named_in_chinese_have_ids_of_their_own(tmp_path: Path) -> None:
    ids = {
        _imported(tmp_path / str(at), version=small.changed("version", "Small 1", name)).meta.id
        for at, name in enumerate(("甲市2023版", "乙市2023版", "2023"))
    }
    assert len(ids) == 3
    assert "2023" in ids
