"""A tiny DRG version in table form: two chapters, every table, made up for tests; no code means anything.

``TABLES`` is the text of every file. ``write(folder)`` writes them, ``write(folder, drg=...)`` with one changed
(None leaves a file out). ``changed("drg", "GR15", "GR13")`` is a table's text with one replacement.
"""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl

TABLES = {
    "version": """\
key,value
version,Small 1
source,made up for tests
retry_each_other_procedure_when_0000,1
qy,on
""",
    "mdc": """\
mdc,name,eval_order,entry_rule,qy_rule,qy_after_n_adrg
MDCN,女性,1,main_dx;female,off,1
MDCG,消化,2,main_dx,any_proc_valid,3
""",
    "mdc_dx": """\
mdc,code,trauma_site
MDCN,N80.000,
MDCN,K66.000,
MDCG,K35.800,
MDCG,K35.900,
MDCG,K66.000,
""",
    "adrg": """\
adrg,alt,name,mdc,eval_order,type,qy_side,return_if_no_drg
NA1,1,子宫手术,MDCN,1,surgical,before_qy,NA1
NZ1,1,女性其他,MDCN,2,medical,after_qy,
GB1,1,阑尾手术,MDCG,1,surgical,before_qy,GB1
GB1,2,阑尾手术,MDCG,2,surgical,before_qy,GB1
GK1,1,内镜操作,MDCG,3,procedure,before_qy,
GR1,1,阑尾炎,MDCG,4,medical,after_qy,GR1
""",
    "adrg_condition": """\
adrg,alt,mdc,eval_order,term,kind,list_id,arg,arg2
NA1,1,MDCN,1,1,MAIN_PROC_IN,NA1.ops,,
NZ1,1,MDCN,2,1,MAIN_DX_IN,NZ1.dx,,
GB1,1,MDCG,1,1,HAS_PROC,,,
GB1,1,MDCG,1,2,MAIN_PROC_IN,GB1.ops,,
GB1,2,MDCG,2,1,PROC_TAGS,GB1.tagged,1&2,
GK1,1,MDCG,3,1,ANY_PROC_IN,GK1.ops,,
GR1,1,MDCG,4,1,MAIN_DX_IN,GR1.dx,,
""",
    "code_list": """\
list_id,pos,code,tag
NA1.ops,0,68.4100,
NZ1.dx,0,N80.000,
NZ1.dx,1,K66.000,
GB1.ops,0,47.0100,
GB1.ops,1,47.0900,
GB1.tagged,0,54.1100,1
GB1.tagged,1,54.2100,2
GK1.ops,0,45.1300,
GR1.dx,0,K35.800,
GR1.dx,1,K35.900,
GR1.dx,2,K66.000,
""",
    "drg": """\
drg,name,adrg,alt,test_order,rule
NA19,子宫手术,NA1,1,1,always
NZ19,女性其他,NZ1,1,1,always
GB11,阑尾手术伴MCC,GB1,1,1,mcc
GB15,阑尾手术,GB1,1,2,always
GB11,阑尾手术伴MCC,GB1,2,1,mcc
GB15,阑尾手术,GB1,2,2,always
GK19,内镜操作,GK1,1,1,always
GR11,阑尾炎伴MCC,GR1,1,1,mcc
GR13,阑尾炎伴CC,GR1,1,2,cc
GR17,阑尾炎儿童,GR1,1,3,age<17;los>=2
GR15,阑尾炎,GR1,1,4,always
""",
    "cc": """\
code,level,excl_table
E10.100,MCC,1
I10.x00,CC,2
""",
    "cc_exclusion": """\
main_dx,excl_table
K35.800,2
N80.000,1
""",
    "valid_procedure": """\
code,name
47.0100,腹腔镜阑尾切除
47.0900,阑尾切除
68.4100,子宫切除
54.1100,剖腹探查
54.2100,腹腔镜检查
45.1300,胃镜检查
""",
    "icd10": """\
code,name,map_to
K35.800,急性阑尾炎,=
K35.900,阑尾炎,K35.800
K66.000,腹膜粘连,=
N80.000,子宫内膜异位症,=
E10.100,糖尿病酮症,=
I10.x00,高血压,=
""",
    "icd9cm3": """\
code,name,map_to
47.0100,腹腔镜阑尾切除,=
47.0900,阑尾切除,=
68.4100,子宫切除,=
54.1100,剖腹探查,=
54.2100,腹腔镜检查,=
45.1300,胃镜检查,=
""",
}


def write(folder: Path, **tables: str | None) -> Path:
    """Write the table form into ``folder``; ``tables`` replaces files by name, None leaves one out."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**TABLES, **tables}.items():
        if text is not None:
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def changed(table: str, old: str, new: str) -> str:
    """Return the text of a table with the first ``old`` replaced, which must be there."""
    assert old in TABLES[table], old
    return TABLES[table].replace(old, new, 1)


def frames(**tables: str) -> dict[str, pl.DataFrame]:
    """Return the tables (without version) as frames of text; ``tables`` replaces some by their CSV text."""
    return {
        name: pl.read_csv(io.StringIO(text), infer_schema=False)
        for name, text in {**TABLES, **tables}.items()
        if name != "version"
    }
