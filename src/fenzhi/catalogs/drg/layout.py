"""How the sheets of a DRG workbook are laid out: names of sheets, titles of columns, what their cells may hold.

docs/reference/drg-workbook.md shows the same to readers; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# The name of the set that holds the operations that are valid for grouping.
VALID_PROCEDURE = "VALID_PROCEDURE"
HEADER_ROWS = 10
# Columns that readers may add, and that the export adds for them.
REMARKS = ("说明", "备注", "note", "remark", "MDC名称", "ADRG名称")

CellKind = Literal["code", "text", "whole", "figure", "rules", "flag"]


@dataclass(frozen=True)
class Column:
    """A column: its name in the tables, its titles (the first one is written), and what its cells hold.

    ``code``: text; a number is an error, because it has lost its zeros. ``figure``: text, a number will do (tags,
    exclusion tables, weights). ``whole``: a whole number. ``rules``: terms. ``flag``: yes or no. ``text``: a
    name. ``required``: the column must be there; ``filled``: and no cell of it may be empty.
    """

    name: str
    titles: tuple[str, ...]
    kind: CellKind = "text"
    required: bool = False
    filled: bool = False


@dataclass(frozen=True)
class Layout:
    """A sheet: its names (the first one is written) and columns. ``optional``: a workbook may lack it."""

    titles: tuple[str, ...]
    columns: tuple[Column, ...]
    optional: bool = False


def _code(name: str, *titles: str) -> Column:
    return Column(name, titles, "code", required=True, filled=True)


def _name(*titles: str) -> Column:
    return Column("name", ("名称", *titles, "name"), required=True)


_NAME = Column("name", ("名称", "编码名称", "name"))
_ORDER = ("顺序", "判断顺序", "order")
_ALT = Column("alt", ("分支", "备选", "alternative", "alt"), "whole")
_ADRG = ("ADRG编码", "ADRG代码", "ADRG", "所属ADRG")
_MDC = ("MDC编码", "MDC代码", "MDC", "所属MDC")
_ANY_CODE = ("编码", "代码", "code")
_EXCLUSION = Column(
    "excl_table",
    ("排除表", "排除表号", "排除表编号", "exclusion table", "excl_table"),
    "figure",
    required=True,
)
_BOOK = (
    _code("code", *_ANY_CODE),
    _name("编码名称"),
    Column("map_to", ("转换为", "转换编码", "map to", "map_to"), "code"),
)
_CONDITIONS = ("入组条件", "条件", "conditions")

LAYOUTS: dict[str, Layout] = {
    "mdc": Layout(
        ("MDC", "MDC目录", "MDC表", "主要诊断大类"),
        (
            _code("mdc", *_MDC, *_ANY_CODE),
            _name("MDC名称"),
            Column("eval_order", (*_ORDER, "eval_order"), "whole"),
            Column(
                "entry_rule", ("入组规则", "进入规则", "entry rule", "entry_rule"), "rules", required=True
            ),
            Column("qy_rule", ("歧义规则", "QY规则", "QY rule", "qy_rule")),
            Column("qy_after_n_adrg", ("歧义位置", "QY位置", "QY after", "qy_after_n_adrg"), "whole"),
        ),
    ),
    "adrg": Layout(
        ("ADRG", "ADRG目录", "ADRG表", "核心疾病诊断相关组"),
        (
            _code("adrg", *_ADRG, *_ANY_CODE),
            _ALT,
            _name("ADRG名称"),
            _code("mdc", *_MDC, "chapter"),
            Column("eval_order", (*_ORDER, "eval_order"), "whole"),
            Column("type", ("类型", "ADRG类型", "type")),
            Column("qy_side", ("歧义前后", "QY前后", "QY side", "qy_side")),
            Column("conditions", _CONDITIONS, "rules", required=True),
            Column(
                "return_if_no_drg", ("无DRG时返回", "返回编码", "return code", "return_if_no_drg"), "code"
            ),
        ),
    ),
    "drg": Layout(
        ("DRG", "DRG目录", "DRG表", "DRG细分组", "疾病诊断相关组"),
        (
            _code("drg", "DRG编码", "DRG代码", "DRG", *_ANY_CODE),
            _name("DRG名称", "组名"),
            _code("adrg", *_ADRG),
            _ALT,
            Column("test_order", (*_ORDER, "test_order"), "whole"),
            Column("rule", ("分组规则", "规则", "rule", *_CONDITIONS), "rules", required=True, filled=True),
            Column("grassroots", ("基层病组", "基层", "grassroots"), "flag"),
            Column("weight", ("权重", "weight"), "figure"),
        ),
    ),
    "code_list": Layout(
        ("编码集", "编码列表", "code sets", "code_list"),
        (
            _code("list_id", "编码集", "编码集编号", "set", "list", "list_id"),
            _code("code", *_ANY_CODE),
            Column("tag", ("标签", "创伤部位", "tag", "trauma_site"), "figure"),
            _NAME,
            Column("pos", ("序号", "position", "pos"), "whole"),
        ),
    ),
    "cc": Layout(
        ("CC", "CC表", "MCC_CC", "CC_MCC", "并发症合并症"),
        (
            _code("code", *_ANY_CODE),
            Column("level", ("级别", "类别", "level"), required=True, filled=True),
            _EXCLUSION,
            _NAME,
        ),
    ),
    "cc_exclusion": Layout(
        ("排除表", "CC排除表", "exclusion", "cc_exclusion"),
        (
            _code("main_dx", "主要诊断", "主要诊断编码", "principal diagnosis", "main_dx", *_ANY_CODE),
            _EXCLUSION,
            _NAME,
        ),
    ),
    "icd10": Layout(("诊断编码库", "ICD-10", "diagnoses"), _BOOK, optional=True),
    "icd9cm3": Layout(("手术操作编码库", "ICD-9-CM-3", "operations"), _BOOK, optional=True),
    "weights": Layout(
        ("权重", "weights"),
        (
            _code("drg", "DRG编码", "DRG代码", "DRG", "drg_code"),
            Column("weight", ("权重", "weight"), "figure", required=True),
        ),
        optional=True,
    ),
    "meta": Layout(
        ("目录", "版本", "版本说明", "version", "catalog"),
        (
            Column("key", ("项目", "键", "key"), required=True, filled=True),
            Column("value", ("内容", "值", "value"), required=True),
        ),
        optional=True,
    ),
}

# What cells say -> what the tables hold.
TYPES = {
    "手术": "surgical",
    "外科": "surgical",
    "外科组": "surgical",
    "操作": "procedure",
    "非手术室操作": "procedure",
    "非手术室操作组": "procedure",
    "内科": "medical",
    "内科组": "medical",
}
QY_SIDES = {"前": "before_qy", "后": "after_qy"}
FLAGS = {
    "是": True,
    "true": True,
    "1": True,
    "yes": True,
    "否": False,
    "false": False,
    "0": False,
    "no": False,
}
