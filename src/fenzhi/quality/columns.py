"""The columns of the tables that building a catalogue and judging one write: names, types, units and titles."""

from __future__ import annotations

import polars as pl

from fenzhi.results import Column


def _text(name: str, zh: str, en: str) -> Column:
    return Column(name, pl.String(), "", zh, en)


def _flag(name: str, zh: str, en: str) -> Column:
    return Column(name, pl.Boolean(), "", zh, en)


def _number(name: str, zh: str, en: str, unit: str = "") -> Column:
    unit = unit or ("fen" if name.endswith("_fen") else "e4" if name.endswith("_e4") else "")
    return Column(name, pl.Int64(), unit, zh, en)


def _float(name: str, zh: str, en: str, unit: str = "float") -> Column:
    return Column(name, pl.Float64(), unit, zh, en)


GROUP = _text("group_id", "病种编码", "group")
NAME = _text("name", "病种名称", "name")
LAYER = _text("layer", "成组层次", "layer")
STAYS = _number("stays", "病例数", "stays")
CASES = _number("cases", "病例数", "stays")
CV = _float("cv", "变异系数", "coefficient of variation")
HOSPITAL = _text("fixmedins_code", "医疗机构编码", "hospital code")

#: Tables of quality, of a catalogue and of coding.
QUALITY: dict[str, tuple[Column, ...]] = {
    "quality": (
        _text("measure", "指标", "measure"),
        _float("value", "数值", "value"),
    ),
    "groups": (
        GROUP,
        NAME,
        LAYER,
        CASES,
        _number("trimmed_cases", "裁剪病例数", "stays trimmed"),
        _number("mean_cost_fen", "病种均费", "mean cost"),
        _number("rw_e4", "分值", "weight"),
        _float("cv_before", "变异系数(裁剪前)", "coefficient of variation before trimming"),
        CV,
        _flag("scattered", "变异系数大于1", "CV above 1"),
        _flag("small", "病例数过少", "few stays"),
    ),
    "years": (
        GROUP,
        Column("year", pl.Int32(), "", "年度", "year"),
        CASES,
        _number("mean_cost_fen", "当年均费", "mean cost of the year"),
        _number("rw_e4", "当年分值", "weight of the year"),
        Column("change_e4", pl.Int64(), "e4", "较上年变动", "change against the year before"),
        _flag("tested", "参加检验", "tested: enough stays in both years"),
        _flag("stable", "稳定", "within the limit"),
    ),
    "contradictions": (
        _text("test", "检验", "test"),
        _text("group_id", "应较高的病种", "group that should weigh more"),
        NAME,
        _text("level", "辅助分型", "auxiliary level"),
        CASES,
        _number("value_e4", "分值或系数", "weight or coefficient"),
        _text("other_id", "应较低的病种", "group that should weigh less"),
        _text("other_name", "名称", "its name"),
        _text("other_level", "其辅助分型", "its auxiliary level"),
        _number("other_cases", "其病例数", "its stays"),
        _number("other_value_e4", "其分值或系数", "its weight or coefficient"),
        _number("gap_e4", "高出比例", "by how much it is more"),
    ),
    "unspecific": (
        _text("code", "主要诊断", "principal diagnosis"),
        _text("why", "不特指的原因", "why it is unspecific"),
        STAYS,
        _number("hospitals", "医疗机构数", "hospitals"),
    ),
    "unspecific_by_hospital": (
        HOSPITAL,
        STAYS,
        _number("unspecific", "不特指病例数", "stays with an unspecific principal diagnosis"),
        _float("share", "占比", "share", "share"),
    ),
    "missing_codes": (
        _text("kind", "种类", "kind"),
        _text("code", "编码", "code"),
        _number("mentions", "出现次数", "mentions"),
        _number("principal", "作为主要诊断的病例数", "stays with it as principal diagnosis"),
    ),
}

#: Tables of a built catalogue, besides those of quality and the catalogue's own files. ``weights``, ``hospitals`` and
#: ``auxiliary`` can be used as they are.
BUILT: dict[str, tuple[Column, ...]] = {
    "weights": (
        GROUP,
        NAME,
        LAYER,
        _text("origin", "来源", "origin"),
        _number("weight_e4", "分值", "weight"),
        _number("drug_weight_e4", "药品分值", "drug weight"),
        _number("material_weight_e4", "耗材分值", "consumable weight"),
        CASES,
        _number("trimmed_cases", "裁剪病例数", "stays trimmed"),
        _number("mean_cost_fen", "病种均费", "mean cost"),
        _number("low_fen", "裁剪下限", "lowest cost kept"),
        _number("high_fen", "裁剪上限", "highest cost kept"),
        _float("cv_before", "变异系数(裁剪前)", "coefficient of variation before trimming"),
        CV,
        _flag("cv_above", "变异系数超过限值", "CV above the limit of the policy"),
        _flag("grassroots", "基层病种", "grassroots group"),
    ),
    "additions": (
        GROUP,
        NAME,
        _text("origin", "来源", "origin"),
        STAYS,
        _float("cost_share", "相关手术操作费用占比", "cost share of the related operation", "share"),
    ),
    "dropped": (
        GROUP,
        NAME,
        STAYS,
        _text("reason", "原因", "reason"),
    ),
    "coverage": (
        _number("threshold", "阈值(例)", "threshold in stays"),
        _number("groups", "达到的组合数", "combinations that reach it"),
        _number("stays", "其病例数", "their stays"),
        _number("share_e4", "覆盖率", "share of all stays"),
    ),
    "classes": (
        _text("class", "机构类别", "class of hospitals"),
        CASES,
        _number("mean_fen", "类别均费", "mean cost of the class"),
        _number("coefficient_e4", "机构系数", "coefficient"),
        _text("coefficient_source", "来源", "source"),
    ),
    "hospitals": (
        HOSPITAL,
        _text("fixmedins_name", "医疗机构名称", "hospital"),
        _text("level", "级别", "level"),
        _text("type", "类别", "type"),
        _number("coefficient_e4", "机构系数", "coefficient"),
        _text("coefficient_source", "来源", "source"),
    ),
    "grassroots": (
        GROUP,
        NAME,
        LAYER,
        _flag("core", "核心病种", "core group"),
        CASES,
        _flag("cases_met", "病例数达到", "enough stays"),
        _number("primary_cases", "基层机构病例数", "stays in primary institutions"),
        _float("primary_share", "基层机构占比", "share of primary institutions", "share"),
        _flag("share_met", "占比达到", "share met"),
        CV,
        _flag("cv_met", "变异系数达到", "CV met"),
        _flag("selected", "入选", "chosen"),
    ),
    "auxiliary": (
        GROUP,
        _text("family", "辅助分型类别", "family"),
        _text("level", "等级", "level"),
        _number("coefficient_e4", "系数", "coefficient"),
    ),
    "auxiliary_tried": (
        GROUP,
        NAME,
        _text("family", "辅助分型类别", "family"),
        _text("level", "等级", "level"),
        CASES,
        _number("mean_cost_fen", "均费", "mean cost"),
        CV,
        _float("cv_after", "细分后变异系数", "CV inside the levels"),
        _number("coefficient_e4", "系数", "coefficient"),
        _text("status", "结果", "what became of it"),
    ),
    "spread": (
        _text("why", "入选原因", "why it is shown"),
        GROUP,
        NAME,
        CASES,
        CV,
        _number("low_fen", "裁剪下限", "lowest cost kept"),
        _number("high_fen", "裁剪上限", "highest cost kept"),
        _number("min_fen", "最低", "lowest"),
        _number("p05_fen", "5%", "5 %"),
        _number("p25_fen", "25%", "25 %"),
        _number("p50_fen", "中位数", "median"),
        _number("p75_fen", "75%", "75 %"),
        _number("p95_fen", "95%", "95 %"),
        _number("max_fen", "最高", "highest"),
    ),
}


def shaped(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return exactly the columns of a table; those that the frame lacks are null."""
    columns = (BUILT | QUALITY)[table]
    return frame.select(
        (pl.col(c.name).cast(c.dtype) if c.name in frame.columns else pl.lit(None, c.dtype).alias(c.name))
        for c in columns
    )
