"""How a workbook of a DIP scheme is laid out: roles of sheets, columns, their titles, and the words of cells.

docs/reference/dip-workbook.md shows the same to readers; a test compares the two. The first title of each sheet and
column is the one that is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from fenzhi.catalogs.tcm import TCM_GROUPS, TCM_LISTS, TCM_OPERATIONS
from fenzhi.catalogs.titles import half_width, same_title

HEADER_ROWS = 20
# The named set that the sheet of resistance diagnoses makes, and what says resistance by itself.
RESISTANT = "TB_RESISTANT"
RESISTANT_CODE = "U84.3"

Kind = Literal["text", "diagnoses", "operations", "ignored"]


@dataclass(frozen=True)
class Column:
    """A column: its name here, its titles, and what its cells hold.

    ``diagnoses``, ``operations``: codes of a rule. ``text``: everything else, read by its own rule. ``ignored``: for
    people.
    """

    name: str
    titles: tuple[str, ...]
    kind: Kind = "text"


@dataclass(frozen=True)
class Role:
    """What a sheet is: names to write it by, words its title contains, columns.

    ``words``: any of these groups of words tells the role, all words of the group must be there. ``needs``: a
    header must have one column of each group. ``told_by``: columns that tell it where the title does not.
    """

    name: str
    title: str
    words: tuple[tuple[str, ...], ...]
    columns: tuple[Column, ...]
    needs: tuple[tuple[str, ...], ...]
    told_by: tuple[str, ...] = ()


_CODE = ("编码", "代码", "code")
_DIAG = ("主要诊断编码", "主要诊断代码", "主诊断编码", "主要诊断", "主诊断", "诊断编码", "诊断代码")
_DIAG_NAME = ("主要诊断名称", "主诊断名称", "诊断名称")
_OPRN = (
    *(
        "主要手术操作编码",
        "主要手术操作代码",
        "主要手术及操作编码",
        "主要手术编码",
        "主手术编码",
        "主要操作编码",
    ),
    *("手术操作编码", "手术操作代码", "手术及操作编码", "手术编码", "操作编码", "主要手术操作", "主要手术"),
)
_OPRN_NAME = (
    *("主要手术操作名称", "主要手术及操作名称", "主要手术名称", "主手术名称", "主要操作名称"),
    *("手术操作名称", "手术及操作名称", "手术名称", "操作名称"),
)
_NOTE = Column("note", ("说明", "备注", "备注说明", "note", "remark"))
_DIP = ("DIP编码", "DIP代码", "DIP组编码", "DIP病种编码", "DIP分组编码", "病种编码", "病种代码", "分组编码")
_IGNORED = Column("ignored", ("打印页码", "页码", "例数", "病例数"), "ignored")

CORE: tuple[Column, ...] = (
    Column("seq", ("方案序号", "序号", "病种序号", "组号", "编号", "病种编号", "顺序号", "No.")),
    Column("dip_code", _DIP),
    Column("class", ("分类", "类别代码", "分类代码")),
    Column("layer", ("成组层次", "层次", "病种类型", "病种类别", "病种分类")),
    Column("aux", ("辅助细分类别", "细分类别", "辅助细分")),
    Column("name", ("分组名称", "病种名称", "DIP名称", "DIP病种名称", "DIP组名称", "组名", "组名称")),
    Column("main_diag", _DIAG, "diagnoses"),
    Column("main_diag_name", _DIAG_NAME),
    Column("main_oprn", _OPRN, "operations"),
    Column("main_oprn_name", _OPRN_NAME),
    Column(
        "any_oprn",
        ("主要手术操作/相关手术操作编码", "主要/相关手术操作编码", "任一手术操作编码"),
        "operations",
    ),
    Column("any_oprn_name", ("主要手术操作/相关手术操作名称", "主要/相关手术操作名称", "任一手术操作名称")),
    Column(
        "related_oprn",
        ("相关手术操作编码", "相关手术操作代码", "相关手术编码", "相关操作编码", "相关手术操作"),
        "operations",
    ),
    Column("related_oprn_name", ("相关手术操作名称", "相关手术名称", "相关操作名称")),
    Column("other_diag", ("其他诊断编码", "其他诊断代码", "次要诊断编码", "其他诊断"), "diagnoses"),
    Column("other_diag_name", ("其他诊断名称", "次要诊断名称")),
    Column("any_diag", ("任一诊断编码", "任一诊断"), "diagnoses"),
    Column("burn_degree", ("烧伤腐蚀伤程度", "烧伤程度", "程度")),
    Column("burn_area", ("烧伤腐蚀伤面积", "烧伤面积", "面积")),
    Column("resistant", ("是否耐药", "耐药")),
    Column("resistant_note", ("是否耐药说明", "耐药说明")),
    Column("age_days", ("天龄", "日龄", "新生儿天龄")),
    Column("birth_weight", ("出生体重", "新生儿出生体重", "新生儿体重")),
    Column("treatment", ("入组方式", "治疗方式")),
    Column("grassroots", ("是否基层病种", "基层病种")),
    _NOTE,
    Column("order", ("顺序",)),
    _IGNORED,
)
_RULE = ("main_diag", "main_oprn", "any_oprn", "other_diag", "any_diag")
_NUMBERED = ("seq", "dip_code")
_CODE_DIAG = Column("code", (*_DIAG, *_CODE), "diagnoses")
_CODE_OPRN = Column("code", (*_OPRN, "医保编码", "主要编码", *_CODE), "operations")
_CODE_NAME = ("名称", "编码名称", "name")
_LISTED = (
    _CODE_DIAG,
    Column("name", (*_DIAG_NAME, *_CODE_NAME)),
    _NOTE,
    Column("ignored", ("序号",), "ignored"),
)
_MAP = (
    Column("code", ("国临版编码", "国临编码", "临床编码", "原编码", "code")),
    Column("name", ("国临版名称", "国临名称", "临床名称", "原名称", "name")),
    Column("target", ("医保版编码", "医保编码", "目标编码", "target")),
    Column("target_name", ("医保版名称", "医保名称", "目标名称", "target_name")),
)

ROLES: dict[str, Role] = {
    role.name: role
    for role in (
        Role(
            "resistance",
            "附表—结核耐药诊断",
            (("耐药",),),
            _LISTED,
            (("code",),),
        ),
        Role(
            "excluded_operations",
            "五、不纳入分组的主要手术操作",
            (
                ("不纳入", "操作"),
                ("不纳入", "手术"),
                ("排除", "手术"),
                ("排除", "操作"),
                ("不可作为主要手术",),
                ("按保守治疗",),
                ("限范围",),
            ),
            (
                _CODE_OPRN,
                Column("name", (*_OPRN_NAME, *_CODE_NAME)),
                Column("rule", ("处理规则", "处理方式", "规则")),
                Column(
                    "within", ("限定主诊断范围", "限定主要诊断范围", "限定诊断范围", "诊断范围"), "diagnoses"
                ),
                _NOTE,
                Column("order", ("顺序",)),
                Column("ignored", ("序号",), "ignored"),
            ),
            (("code",),),
            ("code", "rule"),
        ),
        Role(
            "excluded_diagnoses",
            "五、不纳入分组的主要诊断",
            (("不纳入", "诊断"), ("排除", "诊断"), ("不可作为主要诊断",), ("不能作为主要诊断",)),
            (*_LISTED, Column("order", ("顺序",))),
            (("code",),),
        ),
        Role(
            "grassroots",
            "六、基层病种",
            (("基层",),),
            (
                Column("ignored", ("序号", "页码"), "ignored"),
                Column("seq", ("方案序号",)),
                Column("dip_code", _DIP),
                Column("main_diag", _DIAG, "diagnoses"),
                Column("main_diag_name", _DIAG_NAME),
                Column("main_oprn", _OPRN, "operations"),
                Column("main_oprn_name", _OPRN_NAME),
                Column("name", ("分组名称", "病种名称")),
                _NOTE,
            ),
            (("main_diag", "seq", "dip_code"),),
        ),
        Role(
            "diagnosis_map",
            "诊断编码对照",
            (("诊断", "对照"), ("诊断", "映射"), ("icd10", "对照")),
            _MAP,
            (("code",), ("target",)),
        ),
        Role(
            "operation_map",
            "手术操作编码对照",
            (("手术", "对照"), ("操作", "对照"), ("手术", "映射"), ("icd9", "对照")),
            _MAP,
            (("code",), ("target",)),
        ),
        Role(
            "comprehensive",
            "综合病种字典表",
            (("综合",),),
            (
                Column("seq", ("综合病种编码", "方案序号", *_DIP)),
                Column(
                    "category",
                    ("ICD-10分类码", "ICD10分类码", "ICD-10类目", "诊断类目", "类目编码", "类目", *_DIAG),
                    "diagnoses",
                ),
                Column(
                    "category_name",
                    ("ICD-10分类名称", "ICD10分类名称", "诊断类目名称", "类目名称", *_DIAG_NAME),
                ),
                Column("number", ("组编号", "组号", "组序号")),
                Column(
                    "kind",
                    ("组名称", "治疗方式组", "治疗方式", "操作类别", "手术操作类别", "类型", "入组方式"),
                ),
                Column("name", ("综合病种名称", "分组名称", "病种名称", "DIP名称")),
                Column("medical", ("内科诊疗组", "内科诊疗", "保守治疗组")),
                Column("diagnostic", ("诊断性操作组", "诊断性操作")),
                Column("therapeutic", ("治疗性操作组", "治疗性操作")),
                Column("surgery", ("相关手术组", "相关手术", "手术组")),
                *(
                    column
                    for column in CORE
                    if column.name in ("other_diag", "any_diag", "age_days", "birth_weight")
                ),
                Column("grassroots", ("是否基层病种", "基层病种")),
                _NOTE,
                Column("order", ("顺序",)),
                Column("ignored", ("序号", "页码", "分类", "成组层次"), "ignored"),
            ),
            (("category",),),
            ("category", "number"),
        ),
        Role(
            "pregroup",
            "一、先期分组",
            (("先期",),),
            CORE,
            (_NUMBERED, _RULE),
            ("age_days", "birth_weight"),
        ),
        Role("merged", "二、并项规则下的核心病种", (("并项",), ("合并",)), CORE, (_NUMBERED, _RULE)),
        Role(
            "burn",
            "三、诊断辅助细分-烧伤类病种",
            (("烧伤",),),
            CORE,
            (_NUMBERED, (*_RULE, "burn_degree")),
            ("burn_degree",),
        ),
        Role("tumour", "三、诊断辅助细分-肿瘤类病种", (("肿瘤",),), CORE, (_NUMBERED, _RULE), ("any_oprn",)),
        Role(
            "tuberculosis",
            "三、诊断辅助细分-结核类病种",
            (("结核",),),
            CORE,
            (_NUMBERED, _RULE),
            ("resistant",),
        ),
        Role("assisted", "三、诊断辅助细分", (("辅助细分",),), CORE, (_NUMBERED, _RULE)),
        Role(
            "basic",
            "四、基础规则下的核心病种",
            (("基础规则",), ("基本规则",), ("基本病种",), ("基础病种",)),
            CORE,
            (_NUMBERED, _RULE),
        ),
        Role(
            "diagnosis_names",
            "诊断编码库",
            (("诊断", "编码库"), ("诊断", "名称"), ("疾病", "编码"), ("诊断", "字典")),
            _LISTED,
            (("code",), ("name",)),
        ),
        Role(
            "operation_names",
            "手术操作编码库",
            (("手术", "编码库"), ("操作", "编码库"), ("手术", "名称")),
            (
                _CODE_OPRN,
                Column("name", (*_OPRN_NAME, *_CODE_NAME)),
                _NOTE,
                Column("ignored", ("序号",), "ignored"),
            ),
            (("code",), ("name",)),
        ),
        Role(
            "operations",
            "手术操作类型",
            (("手术", "类型"), ("操作", "类型"), ("手术", "分类"), ("操作", "分类"), ("手术", "字典")),
            (
                _CODE_OPRN,
                Column("name", (*_OPRN_NAME, *_CODE_NAME)),
                Column(
                    "type",
                    (
                        "类别",
                        "类型",
                        "手术操作类别",
                        "手术操作类型",
                        "操作类别",
                        "操作类型",
                        "手术类型",
                        "手术类别",
                        "属性",
                        "type",
                    ),
                ),
                Column("level", ("级别", "手术级别", "手术操作级别", "手术等级", "等级", "level")),
                _NOTE,
                Column("ignored", ("序号", "录入选项", "附加编码"), "ignored"),
            ),
            (("code",), ("type",)),
            ("code", "type"),
        ),
        Role(
            "meta",
            "目录",
            (("版本说明",),),
            (Column("key", ("项目", "键", "key")), Column("value", ("内容", "值", "value"))),
            (("key",), ("value",)),
            ("key", "value"),
        ),
        Role(
            "sets",
            "编码集",
            (("编码集",), ("编码集合",)),
            (Column("set", ("编码集", "集合", "set")), Column("code", _CODE)),
            (("set",), ("code",)),
            ("set", "code"),
        ),
        Role(
            "tcm_groups",
            "中医优势病种",
            (),
            tuple(Column(name, (name,)) for name in TCM_GROUPS),
            (("group_id",), ("main_diag",)),
        ),
        Role(
            "tcm_operations",
            "中医操作类别",
            (),
            tuple(Column(name, (name,)) for name in TCM_OPERATIONS),
            (("code",), ("class",)),
        ),
        Role(
            "tcm_lists",
            "中医清单",
            (),
            tuple(Column(name, (name,)) for name in TCM_LISTS),
            (("list",), ("code",)),
        ),
        Role(
            "core",
            "核心病种",
            (("核心病种",), ("分组目录",), ("病种目录",), ("目录库",)),
            CORE,
            (_NUMBERED, _RULE),
            ("seq", "layer"),
        ),
    )
}

# Roles whose rows are groups, in the order in which their rows stand in the catalogue.
GROUP_ROLES = (
    "pregroup",
    "merged",
    "burn",
    "tumour",
    "tuberculosis",
    "assisted",
    "basic",
    "core",
    "comprehensive",
)
LAYERS = ("pregroup", "merged", "assisted", "basic", "comprehensive")
PLAIN_LAYERS = ("basic", "comprehensive")
LAYER_OF = {"burn": "assisted", "tumour": "assisted", "tuberculosis": "assisted", "core": None} | {
    layer: layer for layer in LAYERS
}


# A column whose cells hold the code and the name.
WITH_NAMES = re.compile(r"[编代]码.{0,2}名称")
# Other words for the same thing in titles.
_USUAL = (
    (re.compile(r"[编代]码(?:及|和|与|/|、|\+)?名称$"), "编码"),
    (re.compile(r"代码$"), "编码"),
    (re.compile(r"^(?:出院)?主(?:要)?诊断"), "主要诊断"),
    (re.compile(r"^主手术"), "主要手术"),
    (re.compile(r"手术(?:/|及|和|\(及?)操作\)?"), "手术操作"),
    (re.compile(r"诊断疾病"), "诊断"),
)


def title_keys(title: str) -> tuple[str, ...]:
    """Return how a title is looked up: as it is, then without what stands in brackets at its end."""
    key = same_title(title)
    plain = half_width(key)
    bare = plain[: plain.index("(")] if plain.endswith(")") and "(" in plain[1:] else plain
    usual = bare.strip("*※")
    for pattern, word in _USUAL:
        usual = pattern.sub(word, usual)
    return tuple(dict.fromkeys((key, bare, usual)))


def columns_by_title(role: Role) -> dict[str, Column]:
    """Return key of a title -> column."""
    return {same_title(title): column for column in role.columns for title in column.titles}
