"""The DRG twin against answers worked by hand from the tables below; no code means anything."""

from __future__ import annotations

import pytest

from twins.drg import AMBIGUOUS, GROUPED, NO_DIAGNOSIS, NO_OPERATION, NOT_CHECKED, UNGROUPED, TwinDrg, group

VERSION = """\
key,value
version,by hand
retry_each_other_procedure_when_0000,{retry}
qy,{qy}
"""
TABLES = {
    "mdc": """\
mdc,name,eval_order,entry_rule,qy_rule,qy_after_n_adrg
MDCA,first,1,main_proc_valid_or:96.0400,off,1
MDCP,newborn,2,main_dx;age0,off,0
MDCZ,trauma,3,main_dx;sites>=2,off,0
MDCM,male,4,main_dx;male,off,0
MDCG,digestive,5,main_dx,main_proc_valid,2
MDCX,others,6,,any_proc_valid,0
""",
    "mdc_dx": """\
mdc,code,trauma_site
MDCP,P07.000,
MDCZ,S06.000,head
MDCZ,S27.000,chest
MDCZ,S27.100,chest
MDCM,C61.x00,
MDCG,K35.800,
MDCG,S06.000,
""",
    "adrg": """\
adrg,alt,name,mdc,eval_order,type,qy_side,return_if_no_drg
AA1,1,heart,MDCA,1,surgical,before_qy,
PS1,1,light,MDCP,1,medical,after_qy,PS1
PV1,1,others,MDCP,2,medical,after_qy,PV1
ZZ1,1,trauma,MDCZ,1,medical,after_qy,ZZ1
MA1,1,prostate,MDCM,1,medical,after_qy,MA1
GB1,2,appendix,MDCG,2,surgical,before_qy,GB1
GB1,1,appendix,MDCG,1,surgical,before_qy,GB1
GR1,1,appendicitis,MDCG,3,medical,after_qy,GR1
GS1,1,rest,MDCG,4,medical,after_qy,
XR1,1,rest,MDCX,1,medical,after_qy,
""",
    "adrg_condition": """\
adrg,alt,mdc,eval_order,term,kind,list_id,arg,arg2
AA1,1,MDCA,1,1,MAIN_PROC_IN,heart,,
PS1,1,MDCP,1,1,ANY_DX_IN,light,,
PS1,1,MDCP,1,2,WEIGHT_NONZERO,,,
PS1,1,MDCP,1,3,WEIGHT_LT,,1500,
PS1,1,MDCP,1,4,AGE_DAY_MAX,,28,
ZZ1,1,MDCZ,1,1,NO_PROC_VALID,,,
GB1,1,MDCG,1,1,MAIN_PROC_IN,appendix,,
GB1,2,MDCG,2,1,PROC_TAGS,tagged,1&2|1&3,
GR1,1,MDCG,3,1,MAIN_DX_IN,appendicitis,,
GR1,1,MDCG,3,2,SEC_DX_IN,light,,
XR1,1,MDCX,1,1,MAIN_DX_NOT_IN,appendicitis,,
XR1,1,MDCX,1,2,HAS_PROC,,,
""",
    "code_list": """\
list_id,pos,code,tag
heart,0,37.5100,
light,0,P07.000,
light,1,P07.100,
appendix,0,47.0100,
tagged,0,54.1100,1
tagged,1,54.2100,2
tagged,2,54.1100,2
tagged,3,54.3100,3
appendicitis,0,K35.800,
""",
    "drg": """\
drg,name,adrg,alt,test_order,rule
AA11,heart,AA1,1,1,mcc
PS19,light,PS1,1,1,always
PV19,rest,PV1,1,1,always
ZZ19,trauma,ZZ1,1,1,always
MA13,prostate,MA1,1,1,mcc_or_cc
MA15,prostate,MA1,1,2,always
GB17,child,GB1,1,3,age<17
GB11,appendix,GB1,1,1,mcc
GB14,long,GB1,1,2,los>=7;dept==ICU
GB12,left,GB1,1,4,leaving_type_in:4|5
GB19,tags,GB1,2,1,any_proc==54.3100
GB15,tags,GB1,2,2,always
GR13,cc,GR1,1,1,cc
GS13,cc,GS1,1,1,sec_proc_in:45.1300|45.1400
XR19,rest,XR1,1,1,always
""",
    "cc": """\
code,level,excl_table
E10.100,MCC,1
I10.x00,CC,2
P07.100,CC,
""",
    "cc_exclusion": """\
main_dx,excl_table
C61.x00,2
K35.800,1
""",
    "valid_procedure": """\
code,name
37.5100,heart
47.0100,appendix
45.1300,scope
""",
    "icd10": """\
code,name,map_to
K35.801,old,K35.800
K35.800,itself,=
C61.x00,none,
""",
    "icd9cm3": """\
code,name,map_to
47.0101,old,47.0100
47.0100,itself,=
""",
}


def tables_in(folder, retry=0, qy="on", translate=False):
    for name, text in {**TABLES, "version": VERSION.format(retry=retry, qy=qy)}.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return TwinDrg.read(folder, translate)


def stay(dx="", procs="", **figures):
    one = dict.fromkeys(("nwb_age", "nwb_bir_wt", "act_ipt_days", "dscg_way", "dscg_caty", "icu_hours"))
    codes = {"diag_codes": dx.split("|"), "oprn_codes": procs.split("|") if procs else []}
    return {"gend": 1, "age": 50, **one, **codes, **figures}


NONE = (UNGROUPED, "0000", "00", "0000")
BAD = (NOT_CHECKED, "0000", "00", "0000")
BABY = {"age": 0, "nwb_age": 28, "nwb_bir_wt": 1499}


def ok(mdc, drg, adrg=None):
    return GROUPED, f"MDC{mdc}", adrg or drg[:3], drg


CASES = [
    # The field check: sex, age; days below one year; weight up to 28 days.
    (stay("K35.800", gend=None), BAD),
    (stay("K35.800", gend=3), BAD),
    (stay("K35.800", age=None), BAD),
    (stay("P07.000", age=0), BAD),
    (stay("P07.000", **{**BABY, "nwb_bir_wt": None}), BAD),
    (stay("P07.000", **{**BABY, "nwb_age": 29, "nwb_bir_wt": None}), ok("P", "PV19")),
    # Newborns: weight 0 and 1500 are not below 1500 and known, 29 days are too old; any diagnosis counts.
    (stay("P07.000", **BABY), ok("P", "PS19")),
    (stay("P07.000", **{**BABY, "nwb_bir_wt": 0}), ok("P", "PV19")),
    (stay("P07.000", **{**BABY, "nwb_bir_wt": 1500}), ok("P", "PV19")),
    (stay("P07.000", **{**BABY, "nwb_age": 29}), ok("P", "PV19")),
    # One year old: no chapter of newborns; the last chapter takes whoever had an operation.
    (stay("P07.000"), NONE),
    (stay("P07.000", "99.0000"), ok("X", "XR19")),
    # Heart only with an MCC; else the search goes on with the next chapter, here as an ambiguous case.
    (stay("C61.x00|E10.100", "37.5100"), ok("A", "AA11")),
    (stay("K35.800|E10.100", "37.5100"), (AMBIGUOUS, "MDCG", "QY", "GQY")),  # E10.100 is excluded
    (stay("C61.x00", "37.5100"), ok("M", "MA15")),
    # Trauma: two sites, twice the same is one; then the digestive chapter, which has nothing for it.
    (stay("S06.000|S27.000"), ok("Z", "ZZ19")),
    (stay("S27.000|S27.100"), NONE),
    (stay("S06.000"), NONE),
    (stay("S06.000|S27.000", "45.1300"), (AMBIGUOUS, "MDCG", "QY", "GQY")),
    # CC: of table 2 excluded by C61, MCC not; the principal diagnosis itself never counts.
    (stay("C61.x00|I10.x00"), ok("M", "MA15")),
    (stay("C61.x00|I10.x00|E10.100"), ok("M", "MA13")),
    (stay("C61.x00|P07.100"), ok("M", "MA13")),
    (stay("C61.x00", gend=2), NONE),
    # Alternatives in their own order, DRGs in test_order, a missing figure makes a comparison false.
    (stay("K35.800", "47.0100|54.1100|54.2100"), ok("G", "GB1")),
    (stay("K35.800", "47.0100", age=16), ok("G", "GB17")),
    (stay("K35.800", "47.0100", age=16, act_ipt_days=7, dscg_caty="ICU"), ok("G", "GB14")),
    (stay("K35.800", "47.0100", age=16, act_ipt_days=6, dscg_caty="ICU"), ok("G", "GB17")),
    (stay("K35.800", "47.0100", dscg_way=5), ok("G", "GB12")),
    (stay("K35.800", "54.1100|54.2100"), ok("G", "GB15")),
    (stay("K35.800", "54.1100|54.3100"), ok("G", "GB19")),
    (stay("K35.800", "54.2100|54.3100"), NONE),  # 1 is missing
    (stay("K35.800", "54.1100"), NONE),  # its first tag only
    # A main operation in the second place is none; the first valid operation in the slot is ambiguous.
    (stay("K35.800", "99.0000|47.0100"), (AMBIGUOUS, "MDCX", "QY", "XQY")),
    # An ADRG without a fitting DRG: returned where the table says so, else the next one.
    (stay("K35.800|P07.100"), ok("G", "GR13")),
    (stay("K35.800|P07.000"), ok("G", "GR1")),
    (stay("K35.800"), NONE),
    (stay("K35.800", "99.0000|45.1400"), ok("G", "GS13")),
    # Codes as they are written.
    (stay("k35.800"), NONE),
    (stay("K35.800 ", "47.0100 "), ok("X", "XR19")),
]


@pytest.mark.parametrize(("case", "expected"), CASES)
def test_by_hand(tmp_path, case, expected):
    assert group(case, tables_in(tmp_path)).result == expected


def test_without_ambiguous_cases_the_search_goes_on(tmp_path):
    tables = tables_in(tmp_path, qy="off")
    assert group(stay("K35.800", "99.0000|47.0100"), tables).result == NONE
    assert group(stay("S06.000|S27.000", "45.1300"), tables).result == ok("X", "XR19")


def test_retry_with_each_further_operation_alone(tmp_path):
    tables = tables_in(tmp_path, retry=1, qy="off")
    assert group(stay("K35.800", "99.0000|47.0100"), tables).result == ok("G", "GB1")
    assert group(stay("K35.800", "99.0000|54.1100|47.0100"), tables).result == ok("G", "GB1")
    # Alone means alone: 54.1100 and 54.3100 do not meet; the first try has them together.
    assert group(stay("K35.800", "54.1100|54.3100"), tables).result == ok("G", "GB19")
    assert group(stay("S06.000", "45.1300"), tables).result == ok("X", "XR19")
    assert group(stay("K35.800", "54.2100|54.3100"), tables).result == NONE


def test_translation_comes_before_the_field_check(tmp_path):
    tables = tables_in(tmp_path, translate=True)
    assert group(stay("K35.801", "47.0101", age=1), tables).result == ok("G", "GB17")
    assert group(stay("C61.x00", "47.0101"), tables).status == NO_DIAGNOSIS
    assert group(stay("K35.800|X99.000", "47.0102", gend=None), tables).status == NO_DIAGNOSIS
    assert group(stay("K35.800", "47.0100|47.0102", gend=None), tables).status == NO_OPERATION
    assert group(stay("K35.800", gend=None), tables).result == BAD


def test_the_way(tmp_path):
    found = group(stay("K35.800|P07.000", "99.0000|45.1300", gend=2), tables_in(tmp_path))
    assert found.chapters == ["MDCG"]
    assert found.way == (("mdc", "MDCG"), ("adrg", "GR1", "1"))
    answer = group(stay("S06.000|S27.000", "45.1300"), tables_in(tmp_path))
    assert answer.way == (("mdc", "MDCA"), ("mdc", "MDCZ"), ("mdc", "MDCG"), ("qy", "MDCG"))
