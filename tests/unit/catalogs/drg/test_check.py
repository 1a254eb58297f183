"""Every error of a DRG catalogue by its message and place; every warning and note by its count."""

from pathlib import Path

import pytest

from fenzhi.catalogs import Finding
from fenzhi.catalogs.drg import (
    DrgCatalog,
    DrgMeta,
    check_drg_catalog,
    import_tables,
    make_drg_catalog,
    require_sound,
)
from fenzhi.errors import CatalogError

from . import small

META = DrgMeta(id="small", title="小", version="1", kind="imported")


def _made(**tables: str) -> DrgCatalog:
    return make_drg_catalog(META, small.frames(**tables))


def _errors(**tables: str) -> list[Finding]:
    found = [one for one in check_drg_catalog(_made(**tables)) if one.severity == "error"]
    assert all(one.remedy for one in found), found
    return found


def _doubts(code: str, **tables: str) -> list[tuple[str, str, int | None, str | None]]:
    """Messages of one code with their severity, row and file; there must be no error."""
    found = check_drg_catalog(_made(**tables))
    assert not [one for one in found if one.severity == "error"], found
    return [(one.severity, one.message, one.row, one.file) for one in found if one.code == code]


def test_the_small_version_is_sound_and_leaves_no_doubt() -> None:
    assert check_drg_catalog(_made()) == []
    require_sound(_made())


# table, old text, new text -> code, row in the file, field, value, part of the message
ERRORS = [
    ("mdc", "main_dx;female", "main_dx;men", "CATALOG_UNKNOWN_KIND", 1, "entry_rule", "men", "term is unknown"),
    ("mdc", "any_proc_valid,3", "some,3", "CATALOG_UNKNOWN_KIND", 2, "qy_rule", "some", "qy_rule is unknown"),
    ("mdc", "MDCG,消化,2", "MDCG,消化,1", "CATALOG_ORDER", 2, "eval_order", "1", "two chapters have the place 1"),
    ("mdc", "MDCG,消化,2", "MDCN,消化,2", "CATALOG_DUPLICATE_ID", 2, "mdc", "MDCN", "MDCN stands twice"),
    ("mdc", "MDCG,消化,2", "MDCG,消化,", "CATALOG_BLANK", 2, "eval_order", None, "no eval_order"),
    ("mdc_dx", "MDCN,K66.000", ",K66.000", "CATALOG_BLANK", 2, "mdc", None, "no mdc"),
    ("adrg", "2,medical", "2,clinical", "CATALOG_UNKNOWN_KIND", 2, "type", "clinical", "type is unknown"),
    ("adrg", "procedure,before_qy", "procedure,x", "CATALOG_UNKNOWN_KIND", 5, "qy_side", "x", "qy_side is"),
    ("adrg", "GB1,2", "GB1,1", "CATALOG_DUPLICATE_ID", 4, "adrg", "GB1", "alternative 1 of ADRG GB1 stands"),
    ("adrg", "MDCG,3", "MDCG,2", "CATALOG_ORDER", 5, "eval_order", "2", "two entries of MDCG have the place 2"),
    ("adrg", "GK1,1,内镜操作,MDCG", "GK1,1,内镜操作,MDCX", "CATALOG_CHAPTER", 5, "mdc", "MDCX", "ADRG GK1"),
    ("adrg", "before_qy,NA1", "before_qy,GB1", "CATALOG_RETURN", 1, "return_if_no_drg", "GB1", "another ADRG"),
    (
        *("adrg_condition", "GK1,1,MDCG,3,1,ANY_PROC_IN", "GK1,1,MDCG,3,1,ANY_PROC"),
        *("CATALOG_UNKNOWN_KIND", 6, "kind", "ANY_PROC", "kind of condition is unknown"),
    ),
    ("adrg_condition", "GB1.ops,,", "GB1.ops,3,", "CATALOG_VALUE", 4, "arg", "3", "MAIN_PROC_IN takes no arg"),
    ("adrg_condition", "GR1.dx", "", "CATALOG_VALUE", 7, "list_id", None, "MAIN_DX_IN needs list_id"),
    ("adrg_condition", "1&2", "1&", "CATALOG_VALUE", 5, "arg", "1&", "rule over tags cannot be read"),
    ("adrg_condition", "GK1.ops", "XX9.ops", "CATALOG_LIST", 6, "list_id", "XX9.ops", "no list XX9.ops"),
    ("adrg_condition", "GK1.ops", "GK1.oops", "CATALOG_LIST", 6, "list_id", "GK1.oops", "no list GK1.oops"),
    ("adrg_condition", "GK1.ops", "nothing", "CATALOG_LIST", 6, "list_id", "nothing", "no list nothing"),
    ("adrg_condition", "GR1,1", "GR2,1", "CATALOG_ADRG", 7, "adrg", "GR2", "there is no ADRG GR2"),
    ("adrg_condition", "GR1,1", "GR1,2", "CATALOG_ADRG", 7, "alt", "2", "GR1 has no alternative 2"),
    ("code_list", "NZ1.dx,0,N80.000", "NZ1.dx,0,", "CATALOG_BLANK", 2, "code", None, "no code"),
    ("drg", "1,1,always\nNZ19", "1,1,alway\nNZ19", "CATALOG_UNKNOWN_KIND", 1, "rule", "alway", "term is unknown"),
    ("drg", "age<17", "age<x", "CATALOG_VALUE", 10, "rule", "age<x", "number is needed"),
    ("drg", "age<17", "age<16.5", "CATALOG_VALUE", 10, "rule", "age<16.5", "finer than the figure is recorded"),
    ("drg", "age<17", "los_in:1|2.5", "CATALOG_VALUE", 10, "rule", "los_in:1|2.5", "finer than the figure"),
    ("drg", "1,2,cc", "1,2,", "CATALOG_BLANK", 9, "rule", None, "this DRG has no rule"),
    ("drg", "1,2,cc", "1,2,sec_dx_in:", "CATALOG_BLANK", 9, "rule", "sec_dx_in:", "names nothing to look for"),
    ("drg", "1,2,cc", "1,2,sec_dx_in:LIST", "CATALOG_LIST", 9, "rule", "LIST", "no list LIST"),
    ("drg", "1,2,cc", "1,2,any_dx==", "CATALOG_UNKNOWN_KIND", 9, "rule", "any_dx==", "term is unknown"),
    ("drg", "1,2,cc", "1,2,dept!=A|B", "CATALOG_UNKNOWN_KIND", 9, "rule", "dept!=A|B", "department"),
    ("adrg_condition", "1&2", "1&(2|3)", "CATALOG_VALUE", 5, "arg", "1&(2|3)", "tags cannot be read"),
    (
        *("mdc", "main_dx,any", "main_proc_valid_or:,any", "CATALOG_BLANK", 2, "entry_rule"),
        *("main_proc_valid_or:", "names nothing to look for"),
    ),
    ("mdc", "main_dx,any", "sites>=0,any", "CATALOG_UNKNOWN_KIND", 2, "entry_rule", "sites>=0", "term is unknown"),
    ("drg", "1,2,cc", "1,2,any_dx==GR1.dx", "CATALOG_LIST", 9, "rule", "GR1.dx", "among codes"),
    ("drg", "1,2,cc", "1,2,any_dx_in:GR1.dx|K66.000", "CATALOG_LIST", 9, "rule", "GR1.dx", "among codes"),
    ("drg", "GK19,内镜操作,GK1", "GK19,内镜操作,GX1", "CATALOG_ADRG", 7, "adrg", "GX1", "no ADRG GX1"),
    ("drg", "GK19,内镜操作,GK1,1", "GK19,内镜操作,GK1,4", "CATALOG_ADRG", 7, "alt", "4", "GK1 has no alternative 4"),
    (
        *("drg", "GK19,内镜操作", "GB15,阑尾手术"),
        *("CATALOG_DUPLICATE_ID", 7, "drg", "GB15", "under two ADRGs, GB1 and GK1 (first in row 4)"),
    ),
    ("drg", "GR13,", "GR11,", "CATALOG_DUPLICATE_ID", 9, "drg", "GR11", "two names, 阑尾炎伴MCC and 阑尾炎伴CC"),
    (
        *("drg", "GR13,阑尾炎伴CC,GR1,1,2,cc", "GR11,阑尾炎伴MCC,GR1,1,2,mcc"),
        *("CATALOG_DUPLICATE_ID", 9, "drg", "GR11", "twice with the same rule (first in row 8)"),
    ),
    ("cc", "I10.x00,CC", "I10.x00,C", "CATALOG_UNKNOWN_KIND", 2, "level", "C", "level is unknown"),
    ("cc", "I10.x00,CC", "I10.x00,", "CATALOG_BLANK", 2, "level", None, "no level"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "old", "new", "code", "row", "field", "value", "text"), ERRORS)
def test_errors_name_file_row_field_and_value(
    table: str, old: str, new: str, code: str, row: int, field: str, value: str | None, text: str
) -> None:
    found = _errors(**{table: small.changed(table, old, new)})
    (one,) = [one for one in found if one.code == code]
    assert (one.file, one.row, one.field, one.value) == (f"{table}.csv", row, field, value)
    assert text in one.message


def test_the_first_error_is_raised_with_the_file_it_came_from(tmp_path: Path) -> None:
    src = small.write(tmp_path / "src", adrg=small.changed("adrg", "MDCG,3", "MDCG,2"))
    with pytest.raises(CatalogError) as caught:
        import_tables(src)
    error = caught.value
    assert (error.code, error.file, error.row) == ("CATALOG_ORDER", str(src / "adrg.csv"), 5)
    assert error.remedy


def test_rows_are_those_of_the_file_whatever_the_order_of_the_catalogue() -> None:
    header, *rows = small.TABLES["adrg"].splitlines()
    turned = "\n".join([header, *reversed(rows)]).replace("GK1,1,内镜操作,MDCG", "GK1,1,内镜操作,MDCX") + "\n"
    (one,) = [one for one in _errors(adrg=turned) if one.code == "CATALOG_CHAPTER"]
    assert (one.row, one.value) == (2, "MDCX")


@pytest.mark.parametrize("length", [2, 3])
def test_adrgs_that_lead_to_each_other_are_a_cycle(length: int) -> None:
    text = small.changed("adrg", "before_qy,NA1", "before_qy,NZ1")
    back = {2: ("after_qy,\n", "after_qy,NA1\n"), 3: ("after_qy,\n", "after_qy,GK1\n")}[length]
    text = text.replace(*back, 1)
    if length == 3:
        text = text.replace("procedure,before_qy,", "procedure,before_qy,NA1")
    found = _errors(adrg=text)
    assert [one.code for one in found] == ["CATALOG_CYCLE"] * length
    assert found[0].message.endswith({2: "NA1 -> NZ1 -> NA1", 3: "NA1 -> NZ1 -> GK1 -> NA1"}[length])


def test_an_adrg_that_leads_into_a_cycle_is_not_in_it() -> None:
    text = small.changed("adrg", "before_qy,NA1", "before_qy,NZ1").replace("after_qy,\n", "after_qy,GK1\n", 1)
    text = text.replace("procedure,before_qy,", "procedure,before_qy,NZ1")
    assert [one.code for one in _errors(adrg=text)] == ["CATALOG_RETURN", "CATALOG_CYCLE", "CATALOG_CYCLE"]


def test_one_drg_in_ored_rows_and_in_alternatives_is_legal() -> None:
    ored = small.changed("drg", "GR13,阑尾炎伴CC,GR1,1,2,cc", "GR11,阑尾炎伴MCC,GR1,1,2,los>60")
    assert _errors(drg=ored) == []


@pytest.mark.parametrize("table", ["mdc", "adrg", "drg"])
def test_a_catalogue_without_rows(table: str) -> None:
    codes = {one.code for one in _errors(**{table: small.TABLES[table].splitlines()[0] + "\n"})}
    assert "CATALOG_EMPTY" in codes


def test_translation_needs_mapped_books() -> None:
    frames = small.frames()
    del frames["icd9cm3"]
    catalog = make_drg_catalog(META.model_copy(update={"translate_codes": True}), frames)
    (one,) = [one for one in check_drg_catalog(catalog) if one.severity == "error"]
    assert (one.code, one.file, one.field) == ("CATALOG_CONTRADICTION", "icd9cm3.csv", "map_to")


WEIGHTS = "drg,weight\n" + "".join(
    f"{drg},1.05\n" for drg in ["GB11", "GB15", "GK19", "GR11", "GR13", "GR17", "GR15", "NA19", "NZ19"]
)


@pytest.mark.parametrize(
    ("row", "code", "field", "value"),
    [
        ("GX19,1", "CATALOG_WEIGHT_GROUP", "drg", "GX19"),
        ("GR1,0", "CATALOG_VALUE", "weight", "0"),
        ("GR1,-1", "CATALOG_VALUE", "weight", "-1"),
        ("GR1,1.0.5", "CATALOG_VALUE", "weight", "1.0.5"),
        ("GR1,n/a", "CATALOG_VALUE", "weight", "n/a"),
        ("GR1,", "CATALOG_BLANK", "weight", None),
        ("GB11,2", "CATALOG_DUPLICATE_ID", "drg", "GB11"),
    ],
)
def test_errors_of_weights(row: str, code: str, field: str, value: str | None) -> None:
    adrg = small.changed("adrg", "GK1,1,", "GR2,1,内科,MDCG,9,medical,,GR2\nGK1,1,")
    assert _errors(weights=WEIGHTS) == []
    (one,) = _errors(weights=WEIGHTS + row.replace("GR1", "GR2") + "\n", adrg=adrg)
    assert (one.code, one.row, one.field, one.value) == (code, 10, field, value)


def test_weights_of_stays_without_group_and_missing_ones_are_warnings() -> None:
    weights = WEIGHTS.replace("GK19,1.05\n", "") + "0000,0.2\n000P,0.5\nGQY,1.6\n"
    assert _doubts("CATALOG_WEIGHT_GROUP", weights=weights) == [
        ("warning", "weights for stays without a group are not used: 3: 0000, 000P, GQY", None, "weights.csv")
    ]
    assert _doubts("CATALOG_NO_WEIGHT", weights=weights) == [
        ("warning", "groups without weight: 1: GK19", None, "weights.csv")
    ]


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("GK1.ops2", "ANY_PROC_IN", "this condition can never hold"),
        ("GB1.dx", "MAIN_DX_IN", "this condition can never hold"),  # lists that are equal are stored once
        ("GB1_2.ops", "ANY_PROC_IN", "this condition can never hold"),
        ("GK1.dx", "MAIN_DX_NOT_IN", "this condition always holds"),
    ],
)
def test_a_list_without_rows_is_an_empty_list(name: str, kind: str, says: str) -> None:
    text = small.changed("adrg_condition", "ANY_PROC_IN,GK1.ops", f"{kind},{name}")
    assert _doubts("CATALOG_LIST_EMPTY", adrg_condition=text) == [
        ("warning", f"the list {name} has no codes, so {says}", 6, "adrg_condition.csv")
    ]


def test_rules_may_name_a_chapter_for_its_diagnoses_and_half_hours_of_intensive_care() -> None:
    rule = small.changed("drg", "1,2,cc", "1,2,sec_dx_in:MDCN.dx;icu_hours>=0.5;amount<100.25;dept==ICU")
    assert _errors(drg=rule) == []


def test_a_chapter_without_its_diagnoses_or_sites() -> None:
    text = small.TABLES["mdc_dx"].replace("MDCN,N80.000,\nMDCN,K66.000,\n", "MDCX,A00.000,\n")
    assert _doubts("CATALOG_LIST_EMPTY", mdc_dx=text)[0][1:3] == (
        "MDCN is entered by a diagnosis and has none",
        1,
    )
    assert _doubts("CATALOG_CHAPTER", mdc_dx=text) == [
        ("warning", "diagnoses of chapters that do not exist are not used: 1: MDCX", 1, "mdc_dx.csv")
    ]
    sites = small.changed("mdc", "main_dx,any", "main_dx;sites>=2,any")
    assert _doubts("CATALOG_LIST_EMPTY", mdc=sites)[0][1:3] == (
        "MDCG counts body sites, and none of its diagnoses has one",
        2,
    )


def test_unreachable_drgs_and_adrgs() -> None:
    drg = small.changed("drg", "1,2,cc", "1,2,always")
    assert _doubts("CATALOG_UNREACHABLE", drg=drg) == [
        ("warning", "DRGs behind one without condition can never be reached: 2: GR17, GR15", 10, "drg.csv")
    ]
    free = small.changed("adrg_condition", "GB1,2,MDCG,2,1,PROC_TAGS,GB1.tagged,1&2,\n", "")
    assert _doubts("CATALOG_UNREACHABLE", adrg_condition=free) == [
        ("warning", "ADRGs behind one without condition can never be reached: 2: GK1, GR1", 5, "adrg.csv")
    ]


@pytest.mark.parametrize(
    ("old", "new", "row", "message"),
    [
        ("GB1,2,阑尾手术,MDCG,2", "GB1,2,阑尾手术,MDCN,3", 3, "different chapters"),
        ("2,surgical", "2,medical", 4, "different types"),
    ],
)
def test_alternatives_that_differ_are_a_warning(old: str, new: str, row: int, message: str) -> None:
    ((severity, text, at, file),) = _doubts("CATALOG_ALTERNATIVES", adrg=small.changed("adrg", old, new))
    assert (severity, at, file) == ("warning", row, "adrg.csv")
    assert f"alternatives of ADRG GB1 have {message}" in text


def test_alternatives_of_one_adrg_may_share_their_place() -> None:
    assert (
        _doubts("CATALOG_ORDER", adrg=small.changed("adrg", "GB1,2,阑尾手术,MDCG,2", "GB1,2,阑尾手术,MDCG,1"))
        == []
    )


def test_a_drg_again_behind_its_row_without_condition_can_never_be_reached() -> None:
    drg = small.changed("drg", "GR17,阑尾炎儿童,GR1,1,3,age<17", "GR15,阑尾炎,GR1,1,5,age<17")
    ((severity, text, row, _),) = _doubts("CATALOG_UNREACHABLE", drg=drg)
    assert (severity, row) == ("warning", 10)
    assert "GR15" in text


@pytest.mark.parametrize("empty", ["GR1.any_zd", "GR15.ss", "MDCG.zd2", "GR1_2.dx"])
def test_an_empty_list_is_known_by_its_name(empty: str) -> None:
    drg = small.changed("drg", "1,2,cc", f"1,2,sec_dx_in:{empty}")
    ((severity, text, row, _),) = _doubts("CATALOG_LIST_EMPTY", drg=drg)
    assert (severity, row) == ("warning", 9)
    assert empty in text


def test_codes_written_into_rules_are_looked_up_in_the_code_books() -> None:
    drg = small.changed("drg", "1,2,cc", "1,2,any_proc==47.0199|47.0100")
    ((severity, text, row, _),) = _doubts("CATALOG_CODE_UNLISTED", drg=drg)
    assert (severity, row) == ("warning", 9)
    assert "codes in rules that icd9cm3 does not have: 1: 47.0199" in text


def test_codes_that_do_not_begin_like_their_adrg_are_a_warning() -> None:
    ((severity, text, row, _),) = _doubts("CATALOG_CODE_ODD", drg=small.changed("drg", "GK19", "XX95"))
    assert (severity, row) == ("warning", 7)
    assert "XX95" in text


def test_an_exact_catalogue_warns_of_codes_with_blanks() -> None:
    ((severity, text, row, file),) = _doubts(
        "CATALOG_CODE_BLANKS", cc=small.changed("cc", "I10.x00,", "I10.x00 ,")
    )
    assert (severity, row, file) == ("warning", 2, "cc.csv")
    assert "I10.x00 " in text


def test_an_adrg_without_condition_from_which_the_search_goes_on_closes_nothing() -> None:
    tables = {
        "adrg_condition": small.changed("adrg_condition", "GK1,1,MDCG,3,1,ANY_PROC_IN,GK1.ops,,\n", ""),
        "drg": small.changed("drg", "GK1,1,1,always", "GK1,1,1,cc"),
    }
    assert _doubts("CATALOG_UNREACHABLE", **tables) == []


def test_adrgs_without_drg_and_codes_that_are_no_adrg() -> None:
    drg = small.changed("drg", "GK19,内镜操作,GK1,1,1,always\n", "")
    assert _doubts("CATALOG_NO_DRG", drg=drg) == [
        ("warning", "ADRGs or alternatives without any DRG take no stay: 1: GK1", 5, "adrg.csv")
    ]
    adrg = small.changed("adrg", "after_qy,GR1", "after_qy,GR0")
    assert _doubts("CATALOG_RETURN", adrg=adrg) == [
        ("warning", "where no DRG fits, the stay gets a code that is no ADRG", 6, "adrg.csv")
    ]


def test_the_two_ways_to_say_where_qy_is_tested_disagree() -> None:
    ((severity, message, row, _),) = _doubts("CATALOG_QY", mdc=small.changed("mdc", "valid,3", "valid,2"))
    assert (severity, row) == ("warning", 2)
    assert message.startswith("in MDCG qy_after_n_adrg and the qy_side of the ADRGs disagree")


def test_codes_outside_the_code_books() -> None:
    found = _doubts(
        "CATALOG_CODE_UNLISTED",
        icd10=small.changed("icd10", "K66.000,腹膜粘连,=\n", "").replace("I10.x00,高血压,=\n", ""),
        icd9cm3=small.changed("icd9cm3", "45.1300,胃镜检查,=\n", ""),
    )
    assert found == [
        ("warning", "codes that icd10 does not have: 1: K66.000", 3, "code_list.csv"),
        ("warning", "codes that icd10 does not have: 1: K66.000", 2, "mdc_dx.csv"),
        ("warning", "codes that icd10 does not have: 1: I10.x00", 2, "cc.csv"),
        ("warning", "codes that icd9cm3 does not have: 1: 45.1300", 8, "code_list.csv"),
        ("warning", "codes that icd9cm3 does not have: 1: 45.1300", 6, "valid_procedure.csv"),
    ]


def test_gaps_and_dead_codes_of_a_chapter() -> None:
    lists = small.changed("code_list", "GR1.dx,1,K35.900", "GR1.dx,1,N80.000")
    assert _doubts("CATALOG_GAP", code_list=lists) == [
        ("note", "MDCG: diagnoses of the chapter that no medical ADRG takes 1: K35.900", 4, "mdc_dx.csv")
    ]
    assert _doubts("CATALOG_DEAD_CODE", code_list=lists) == [
        (
            "note",
            "MDCG: principal diagnoses of its ADRGs that are not in the chapter 1: N80.000",
            None,
            "code_list.csv",
        )
    ]


def test_a_catalogue_by_category_is_not_asked_for_single_codes() -> None:
    frames = small.frames(code_list=small.changed("code_list", "GR1.dx,1,K35.900", "GR1.dx,1,K35"))
    catalog = make_drg_catalog(META.model_copy(update={"code_match": "category"}), frames)
    assert check_drg_catalog(catalog) == []


def test_a_chapter_whose_medical_adrg_asks_for_no_diagnosis_has_no_gap() -> None:
    lists = small.changed("code_list", "GR1.dx,1,K35.900,\n", "")
    extra = {
        "adrg": small.TABLES["adrg"] + "GZ1,1,其他,MDCG,5,medical,after_qy,\n",
        "drg": small.TABLES["drg"] + "GZ19,其他,GZ1,1,1,always\n",
    }
    assert len(_doubts("CATALOG_GAP", code_list=lists)) == 1
    assert _doubts("CATALOG_GAP", code_list=lists, **extra) == []


@pytest.mark.parametrize(
    ("table", "row", "severity", "text"),
    [
        ("mdc_dx", "MDCG,K35.800,", "note", "changes nothing: 1: K35.800"),
        ("mdc_dx", "MDCG,K35.800,腹部", "warning", "different trauma_site: 1: K35.800"),
        ("code_list", "GR1.dx,3,K35.800,", "note", "in 1 lists, which changes nothing: 1: K35.800"),
        ("cc", "I10.x00,CC,2", "note", "changes nothing: 1: I10.x00"),
        ("cc", "I10.x00,MCC,2", "warning", "different level or excl_table: 1: I10.x00"),
        ("cc", "I10.x00,CC,1", "warning", "different level or excl_table: 1: I10.x00"),
        ("cc_exclusion", "K35.800,1", "warning", "different excl_table: 1: K35.800"),
        ("valid_procedure", "45.1300,胃镜", "note", "changes nothing: 1: 45.1300"),
        ("icd10", "I10.x00,高血压,K35.800", "warning", "different map_to: 1: I10.x00"),
    ],
)
def test_codes_that_stand_twice(table: str, row: str, severity: str, text: str) -> None:
    (found,) = _doubts("CATALOG_CODE_TWICE", **{table: f"{small.TABLES[table]}{row}\n"})
    assert found[0] == severity
    assert found[1].endswith(text)
    assert found[2:] == (small.TABLES[table].count("\n"), f"{table}.csv")


def test_tags() -> None:
    two = small.TABLES["code_list"] + "GB1.tagged,2,54.1100,2\n"
    assert _doubts("CATALOG_TAGS", code_list=two) == [
        (
            "warning",
            "codes of list GB1.tagged have two tags, of which the first counts: 1: 54.1100",
            12,
            "code_list.csv",
        )
    ]
    rule = small.changed("adrg_condition", "1&2", "1&2|1&4&3")
    assert _doubts("CATALOG_TAGS", adrg_condition=rule) == [
        ("warning", "no code of list GB1.tagged has the tag 3, 4", 5, "adrg_condition.csv")
    ]


def test_unused_lists_empty_exclusion_tables_and_missing_names() -> None:
    assert _doubts("CATALOG_LIST_UNUSED", code_list=small.TABLES["code_list"] + "X,0,K35.800,\n") == [
        ("note", "lists that no rule names: 1: X", None, "code_list.csv")
    ]
    assert _doubts("CATALOG_EXCLUSION_EMPTY", cc=small.changed("cc", "MCC,1", "MCC,9")) == [
        ("note", "exclusion tables without a principal diagnosis exclude nothing: 1: 9", None, "cc.csv")
    ]
    assert _doubts("CATALOG_NAME", drg=small.changed("drg", "GK19,内镜操作", "GK19,")) == [
        ("warning", "rows without a name: 1: GK19", None, "drg.csv")
    ]


def test_codes_mapped_in_a_circle() -> None:
    text = small.changed("icd10", "K35.800,急性阑尾炎,=", "K35.800,急性阑尾炎,K66.000")
    assert _doubts("CATALOG_MAP_CYCLE", icd10=text) == []
    text = text.replace("腹膜粘连,=", "腹膜粘连,K35.800")
    assert _doubts("CATALOG_MAP_CYCLE", icd10=text) == [
        (
            "warning",
            "codes that are mapped to each other in a circle: 1: K35.800 -> K66.000 -> K35.800",
            None,
            "icd10.csv",
        )
    ]
