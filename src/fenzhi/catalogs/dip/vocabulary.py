"""Words that cells of a DIP workbook hold, and what they mean; the first word of a meaning is written."""

from __future__ import annotations

# What 分类, 成组层次 and the beginning of 方案序号 say. The first word of a layer is the one that is written.
LAYER_WORDS = {
    "XQ": "pregroup",
    "先期分组": "pregroup",
    "先期": "pregroup",
    "BX": "merged",
    "并项规则": "merged",
    "并项": "merged",
    "合并": "merged",
    "FZ": "assisted",
    "诊断辅助细分": "assisted",
    "辅助细分": "assisted",
    "JC": "basic",
    "基本规则": "basic",
    "基础规则": "basic",
    "基本": "basic",
    "核心病种": "basic",
    "核心": "basic",
    "ZH": "comprehensive",
    "综合病种": "comprehensive",
    "综合": "comprehensive",
}
CLASS_OF = {"pregroup": "XQ", "merged": "BX", "assisted": "FZ", "basic": "JC", "comprehensive": "ZH"}
LAYER_TITLES = {
    "pregroup": "先期分组",
    "merged": "并项规则",
    "assisted": "诊断辅助细分",
    "basic": "基本规则",
    "comprehensive": "综合病种",
}
AUX_WORDS = {"烧伤": "burn", "肿瘤": "tumour", "结核": "tuberculosis"}
AUX_TITLES = {"burn": "烧伤类", "tumour": "肿瘤类", "tuberculosis": "结核类"}

TREATMENT_WORDS = {
    "主要手术操作": "operation",
    "手术": "operation",
    "任一手术操作": "any_operation",
    "保守治疗": "conservative",
    "保守": "conservative",
    "不限": "any",
}
KIND_WORDS = {
    "内科诊疗组": "medical",
    "诊断性操作组": "diagnostic",
    "治疗性操作组": "therapeutic",
    "介入治疗组": "interventional",
    "相关手术组": "surgery",
    "内科诊疗": "medical",
    "内科治疗组": "medical",
    "内科治疗": "medical",
    "保守治疗组": "medical",
    "保守治疗": "medical",
    "诊断性操作": "diagnostic",
    "治疗性操作": "therapeutic",
    "介入治疗": "interventional",
    "相关手术": "surgery",
    "相关手术操作组": "surgery",
    "手术组": "surgery",
    "手术": "surgery",
    "不限": "any",
}
KIND_NUMBERS = {"1": "medical", "2": "diagnostic", "3": "therapeutic", "4": "surgery"}
EXCLUSION_WORDS = {
    "不可作为主要手术操作": "cannot_be_main",
    "按保守治疗入组": "as_conservative",
    "限范围可作主要手术操作": "main_within",
}
TYPE_WORDS = {
    "手术": "surgery",
    "介入治疗": "interventional",
    "介入": "interventional",
    "治疗性操作": "therapeutic",
    "治疗": "therapeutic",
    "诊断性操作": "diagnostic",
    "诊断": "diagnostic",
} | {name: name for name in ("surgery", "interventional", "therapeutic", "diagnostic")}
YES = ("是", "有", "耐药", "true", "1", "yes", "y", "√", "✓")
NO = ("否", "无", "不耐药", "非耐药", "敏感", "false", "0", "no", "n", "×", "x")
ANY_WORDS = (
    *("所有诊断", "全部诊断", "任意诊断", "任何诊断", "任一诊断", "各类诊断"),
    *("不限", "不限诊断", "所有", "全部"),
)
NO_OPERATION_WORDS = (
    *("保守治疗", "保守治疗组", "保守", "非手术", "非手术治疗"),
    *("无手术操作", "无手术及操作", "无手术", "无操作"),
)
EMPTY_WORDS = ("", "-", "--", "/", "无", "—", "——", "空")
