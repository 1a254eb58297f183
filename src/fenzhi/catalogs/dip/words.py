"""Why a row was not understood and what to do, in Chinese and English: one entry per reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """``code`` as in docs/errors.md; the sentences in Chinese and English; ``{part}`` and ``{guess}`` are filled in."""

    code: str
    why: tuple[str, str]
    remedy: tuple[str, str]
    warning: bool = False


def _cell(zh: str, en: str, zh_do: str, en_do: str, code: str = "CATALOG_CELL") -> Reason:
    return Reason(code, (zh, en), (zh_do, en_do))


def _hint(code: str, zh: str, en: str, zh_do: str, en_do: str) -> Reason:
    return Reason(code, (zh, en), (zh_do, en_do), warning=True)


_CORRECT = ("更正单元格", "correct the cell")

REASONS: dict[str, Reason] = {
    "code_form": _cell("{part} 不是编码", "{part} is no code", *_CORRECT),
    "code_words": _cell(
        "编码列中有文字:{part}", "words stand among the codes: {part}", "只留编码", "leave only codes"
    ),
    "code_glued": _cell(
        "两个编码连在一起:{part}",
        "two codes are written as one: {part}",
        "分开写:{guess}",
        "write them apart: {guess}",
    ),
    "code_point": _cell(
        "编码缺少小数点:{part}", "the code lacks its point: {part}", "应为 {guess}?", "is it {guess}?"
    ),
    "code_range": _cell("区间首尾颠倒:{part}", "the range ends before it begins: {part}", *_CORRECT),
    "code_number": _cell(
        "编码是数字或日期,零可能已丢失:{part}",
        "the code is a number or a date, so zeros may be lost: {part}",
        "把列设为文本后重新填写",
        "format the column as text and enter the code again",
        "CATALOG_WORKBOOK_NUMBER",
    ),
    "cell_mixed": _cell(
        "同一单元格既有 / 又有 +,先后不明:{part}",
        "a cell has both / and +, so what belongs together is not certain: {part}",
        "改用 | 表示或,或在映射文件 [dialect] 中写明",
        "write | for or, or say it in [dialect] of a mapping file",
    ),
    "cell_brackets": _cell("括号不配对:{part}", "brackets do not match: {part}", *_CORRECT),
    "cell_dangling": _cell(
        "分隔符前后缺少编码:{part}", "nothing stands before or after a sign: {part}", *_CORRECT
    ),
    "cell_too_large": _cell(
        "单元格展开后组合过多:{part}", "the cell stands for too many combinations: {part}", *_CORRECT
    ),
    "cell_dialect": _cell("单元格不合所定写法:{part}", "the cell is not in the dialect: {part}", *_CORRECT),
    "not_yes_no": _cell(
        "不是“是/否”:{part}", "neither yes nor no: {part}", "填是或否", "write 是 or 否", "CATALOG_VALUE"
    ),
    "not_whole": _cell("不是整数:{part}", "no whole number: {part}", *_CORRECT, "CATALOG_VALUE"),
    "age_days": _cell(
        "天龄看不懂:{part}",
        "the age in days is not understood: {part}",
        "写成 <29天 或 ≤28天",
        "write <29天 or ≤28天",
        "CATALOG_VALUE",
    ),
    "birth_weight": _cell(
        "出生体重看不懂:{part}",
        "the birth weight is not understood: {part}",
        "写成 1000-1499克、<1000克 或 ≥2500克",
        "write 1000-1499克, <1000克 or ≥2500克",
        "CATALOG_VALUE",
    ),
    "burn_degree": _cell(
        "烧伤程度看不懂:{part}",
        "the degree of burns is not understood: {part}",
        "写成一度、二度、三度,或在主要诊断列写亚目",
        "write 一度, 二度, 三度, or subcategories as principal diagnosis",
        "CATALOG_VALUE",
    ),
    "burn_area": _cell(
        "烧伤面积看不懂:{part}",
        "the area of burns is not understood: {part}",
        "写成 10%-19%,或在其他诊断列写 T31、T32 亚目",
        "write 10%-19%, or subcategories of T31 and T32 as other diagnosis",
        "CATALOG_VALUE",
    ),
    "row_stray": _cell(
        "这一行不是标题,也没有一列可认",
        "the row is no heading and has nothing that is understood",
        "删除或补全这一行",
        "remove or complete the row",
        "CATALOG_BLANK",
    ),
    "no_id": _cell(
        "没有方案序号,也没有 DIP 编码",
        "neither a number of the scheme nor a DIP code",
        "补上其中之一",
        "add one of them",
        "CATALOG_BLANK",
    ),
    "no_rule": _cell(
        "没有任何入组条件",
        "the row has no condition at all",
        "补上诊断或手术操作编码",
        "add codes of diagnoses or operations",
        "CATALOG_BLANK",
    ),
    "no_diagnosis": _cell(
        "没有主要诊断编码",
        "the row has no principal diagnosis",
        "补上主要诊断编码;任何诊断写“所有诊断”",
        "add it; write 所有诊断 if any will do",
        "CATALOG_BLANK",
    ),
    "no_code": _cell(
        "没有编码",
        "the row has no code",
        "补上编码或删除这一行",
        "add the code or remove the row",
        "CATALOG_BLANK",
    ),
    "one_code": _cell(
        "这里只能有一个编码:{part}",
        "one code is needed here: {part}",
        "一行写一个编码",
        "write one code a row",
    ),
    "no_target": _hint(
        "CATALOG_BLANK",
        "没有对应编码,原样通过",
        "no target: the code passes through as it is",
        "如有对应编码请补上",
        "add it if there is one",
    ),
    "layer": _cell(
        "成组层次或分类看不懂:{part}",
        "the layer is not understood: {part}",
        "写先期分组、并项规则、诊断辅助细分、基本规则或综合病种",
        "write 先期分组, 并项规则, 诊断辅助细分, 基本规则 or 综合病种",
        "CATALOG_LAYER",
    ),
    "treatment": _cell(
        "入组方式看不懂:{part}",
        "the kind of treatment is not understood: {part}",
        "见 docs/reference/dip-workbook.md",
        "see docs/reference/dip-workbook.md",
        "CATALOG_TREATMENT",
    ),
    "kind": _cell(
        "综合病种的治疗方式看不懂:{part}",
        "the kind of a comprehensive group is not understood: {part}",
        "写内科诊疗组、诊断性操作组、治疗性操作组或相关手术组",
        "write 内科诊疗组, 诊断性操作组, 治疗性操作组 or 相关手术组",
        "CATALOG_TREATMENT",
    ),
    "kind_clash": _cell(
        "组编号与组名称不一致:{part}",
        "number and name of the kind disagree: {part}",
        *_CORRECT,
        "CATALOG_CONTRADICTION",
    ),
    "no_resistance": _cell(
        "本行要求耐药,但工作簿没有耐药诊断表",
        "the row asks for resistance, but there is no sheet of resistance diagnoses",
        "补上耐药诊断表",
        "add the sheet of resistance diagnoses",
        "CATALOG_SET",
    ),
    "exclusion": _cell(
        "不纳入分组的处理方式看不懂:{part}",
        "how the operation is excluded is not understood: {part}",
        "写不可作为主要手术操作、按保守治疗入组,或“……作为主要诊断,可作为主要手术操作”",
        "write 不可作为主要手术操作, 按保守治疗入组 or …作为主要诊断,可作为主要手术操作",
        "CATALOG_EXCLUSION_KIND",
    ),
    "no_within": _cell(
        "限范围的手术操作没有诊断范围",
        "the operation is limited, but the diagnoses are not named",
        "补上诊断范围",
        "add the diagnoses",
        "CATALOG_EXCLUSION_RANGE",
    ),
    "excluded_twice": _cell(
        "编码已在 {part} 列过,处理不同",
        "the code stands in {part} already, with another effect",
        "只留一行",
        "keep one row",
        "CATALOG_EXCLUSION_TWICE",
    ),
    "type": _cell(
        "手术操作类别看不懂:{part}",
        "the type of the operation is not understood: {part}",
        "写手术、介入治疗、治疗性操作或诊断性操作",
        "write 手术, 介入治疗, 治疗性操作 or 诊断性操作",
        "OPERATION_TYPE",
    ),
    "type_conflict": _cell(
        "同一编码有两种类别(另见 {part})",
        "the code has another type in {part}",
        "只留一行",
        "keep one row",
        "OPERATION_CONFLICT",
    ),
    "name_conflict": _hint(
        "CATALOG_CODE_TWICE",
        "同一编码有两个名称(另见 {part}),取先出现的",
        "the code has another name in {part}; the first one is kept",
        "只留一行",
        "keep one row",
    ),
    "map_conflict": _cell(
        "同一编码对应两个编码(另见 {part})",
        "the code has another target in {part}",
        "只留一行",
        "keep one row",
        "MAP_CONFLICT",
    ),
    "duplicate_id": _cell(
        "病种编码 {part} 在 {guess} 已有,条件不同",
        "group {part} stands in {guess} already, with another rule",
        "合并为一行或改编码",
        "write one row, or give another code",
        "CATALOG_DUPLICATE_ID",
    ),
    "grassroots_none": _cell(
        "目录中没有这个病种:{part}",
        "no group of the catalogue is this: {part}",
        "核对编码,或写方案序号",
        "check the codes, or write 方案序号",
        "CATALOG_GRASSROOTS",
    ),
    "grassroots_part": _cell(
        "目录中的病种比这一行宽:{part}",
        "the group of the catalogue is wider than this row: {part}",
        "写明是哪个方案序号",
        "name it by 方案序号",
        "CATALOG_GRASSROOTS",
    ),
    "checked": Reason("", ("{part}", "{part}"), ("{guess}", "{guess}")),
    "header": _cell(
        "前 20 行没有所需的标题:{part}",
        "no header in the first 20 rows: {part} is missing",
        "补上标题,或写映射文件",
        "add the titles, or write a mapping file",
        "CATALOG_WORKBOOK_HEADER",
    ),
    "column_rule": _cell(
        "这一列可能是入组条件,但标题不认识",
        "the column may be a condition, but its title is unknown",
        "改标题,或在映射文件中写它是哪一列(或 ignored)",
        "correct the title, or name the column (or ignored) in a mapping file",
        "CATALOG_COLUMN",
    ),
    "number_restored": _hint(
        "CATALOG_WORKBOOK_NUMBER",
        "编码是数字 {part},按四位小数补零",
        "the code is the number {part}; zeros are put back",
        "把列设为文本",
        "format the column as text",
    ),
    "short_code": _hint(
        "CATALOG_CELL",
        "手术操作编码不足四位小数,只匹配写法相同的编码:{part}",
        "the code has fewer than four decimals and matches only codes written the same: {part}",
        "如为六位编码,请补足末尾的零",
        "put its zeros back if it is a code of six digits",
    ),
    "short_excluded": _hint(
        "CATALOG_EXCLUSION_RANGE",
        "不是完整编码,按完整编码比对时不起作用:{part}",
        "this is no full code and excludes nothing where full codes are compared: {part}",
        '写完整编码,或用政策 excluded_diagnosis_match = "prefix"',
        'write full codes, or use excluded_diagnosis_match = "prefix" of the policy',
    ),
    "one_sided": _hint(
        "CATALOG_OVERLAP",
        "同一诊断有耐药病种,但没有这一手术操作的耐药病种,耐药病例也会入本组:{part}",
        "the diagnosis has resistant groups, but none with this operation: resistant stays enter this row: {part}",
        "补上耐药的一行",
        "add the row for resistance",
    ),
    "sheet_content": _cell(
        "工作表有病种编码列,但认不出是哪一张表,未读",
        "the sheet has codes of groups, but what it is cannot be told: it is not read",
        "改表名,或写映射文件(role 可为 skip)",
        "rename it, or write a mapping file (role may be skip)",
        "CATALOG_WORKBOOK_SHEET",
    ),
    "sheet_hidden": _hint(
        "CATALOG_WORKBOOK_SHEET",
        "隐藏的工作表也已读入",
        "the sheet is hidden, and read all the same",
        '不需要时删除,或在映射文件中写 role = "skip"',
        'delete it, or write role = "skip" in a mapping file, if it is not meant',
    ),
    "key_left": _hint(
        "CATALOG_UNKNOWN_KEY",
        "不是目录的项目,未读:{part}",
        "this is no key of a catalogue, it is not read: {part}",
        "无需处理",
        "nothing",
    ),
    "mark_dropped": _hint(
        "CATALOG_CELL",
        "剑号、星号不参与匹配,已略去:{part}",
        "daggers and asterisks do not take part, they are left out: {part}",
        "无需处理",
        "nothing",
    ),
    "repeated": _hint(
        "CATALOG_REPEATED",
        "与 {part} 相同,只取一次",
        "the same as {part}: taken once",
        "可以删除",
        "it may be removed",
    ),
    "joined": _hint(
        "CATALOG_REPEATED",
        "与 {part} 同一病种,已并为一行(任一即可)",
        "of one group with {part}: put into one row as alternatives",
        "无需处理",
        "nothing",
    ),
    "no_note": _hint(
        "CATALOG_EXCLUSION_KIND",
        "没有写处理方式,按“按保守治疗入组”",
        "no effect is written: taken as 按保守治疗入组",
        "写明处理方式",
        "write the effect",
    ),
    "area_doubt": _hint(
        "CATALOG_VALUE",
        "烧伤面积与其他诊断编码不一致:{part}",
        "the area does not fit the other diagnoses: {part}; the codes count",
        "核对",
        "check it",
    ),
    "sheet_left": _hint(
        "CATALOG_WORKBOOK_SHEET",
        "工作表未读",
        "the sheet is not read",
        "如含目录内容,请改表名或写映射文件",
        "if it belongs to the catalogue, rename it or write a mapping file",
    ),
    "column_left": _hint(
        "CATALOG_COLUMN",
        "这一列未读",
        "the column is not read",
        "无需处理,除非它是条件",
        "nothing, unless it is a condition",
    ),
    "no_operations": _hint(
        "CATALOG_OPERATION_UNLISTED",
        "没有手术操作类型表,综合病种分不出治疗方式,按政策 unknown_operation_type(缺省保守治疗)",
        "no operation table: comprehensive groups cannot tell kinds of operations; the policy's "
        "unknown_operation_type holds (conservative by default)",
        "用 --operations 给出,或在统筹区 region.toml 中给出",
        "give --operations, or name one in the region's region.toml",
    ),
    "resistance_added": _hint(
        "CATALOG_SET",
        "耐药诊断表中没有 {part},已加上(对抗结核药物耐药)",
        "{part} (resistance to tuberculosis drugs) is not in the list, it is added",
        '不需要时用映射文件 resistance_code = ""',
        'write resistance_code = "" in a mapping file if it is not wanted',
    ),
    "unlisted_code": _hint(
        "CATALOG_CODE_UNLISTED",
        "编码库中没有 {part}",
        "the code book does not have {part}",
        "核对编码或版本",
        "check the code, or the edition",
    ),
    "missing_sheet": _hint(
        "CATALOG_WORKBOOK_SHEET",
        "没有这张表",
        "there is no such sheet",
        "如需要请补上",
        "add it if it is needed",
    ),
}


def say(reason: str, part: str, guess: str, lang: str) -> tuple[str, str]:
    """Return why and what to do, ``lang`` zh or en."""
    at = 0 if lang == "zh" else 1
    found = REASONS[reason]
    return found.why[at].format(part=part, guess=guess), found.remedy[at].format(part=part, guess=guess)
