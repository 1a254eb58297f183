"""Chapters of ICD-10 as the demo region needs them: which categories exist, who has them, who treats them.

The ranges of three-character categories are those of ICD-10; every figure is our own rough guess.
"""

from __future__ import annotations

from dataclasses import dataclass

# What a hospital is especially for; general ones take everything.
SERVICES = ("general", "tumour", "bones", "mind", "mother", "child")


@dataclass(frozen=True)
class Chapter:
    """A chapter: ``span`` of categories, existing ``blocks``, and how its rare diseases look.

    ``dept`` is the department code, ``operations`` the two-digit families of ICD-9-CM-3, ``share`` the
    relative number of rare stays, ``yuan`` and ``days`` the middle of a conservative stay.
    """

    span: str
    title: str
    blocks: str
    dept: str
    service: str
    season: str
    age: str
    mix: str
    operations: str
    share: float
    yuan: int
    days: int


def _chapter(line: str) -> Chapter:
    span, title, blocks, dept, service, season, age, mix, operations, share, yuan, days = line.split("|")
    if service not in SERVICES:
        raise ValueError(f"unknown service {service}")
    return Chapter(
        span, title, blocks, dept, service, season, age, mix, operations, float(share), int(yuan), int(days)
    )


_LINES = """
A00-B99|传染病|A00-A09 A15-A28 A30-A49 A50-A64 A65-A70 A75-A99 B00-B09 B15-B34 B35-B64 B65-B83 B85-B99|A16|general|summer|all|c|33 54 86|5|3900|7
C00-D48|肿瘤|C00-C26 C30-C34 C37-C41 C43-C58 C60-C85 C88-C88 C90-C96 D00-D06 D09-D36 D37-D38 D41-D48|A19|tumour|flat|middle|t|32 42 43 45 48 50 57 85|11|9500|9
D50-D89|血液与免疫疾病|D50-D53 D55-D77 D80-D86|A03|general|flat|all|s|40 41|3|5200|8
E00-E90|内分泌与代谢疾病|E00-E07 E10-E16 E20-E35 E40-E46 E50-E68 E70-E90|A03|general|flat|middle|c|06 07 86|5|4300|8
F00-F99|精神障碍|F01-F48 F50-F59 F60-F69 F70-F98|A15|mind|flat|adult|s|94|4|6200|20
G00-G99|神经系统疾病|G00-G14 G20-G26 G30-G32 G35-G37 G40-G47 G50-G64 G70-G73 G80-G83 G90-G98|A03|general|flat|middle|s|01 02 03 04 05|7|5600|9
H00-H59|眼病|H00-H06 H10-H22 H25-H28 H30-H36 H40-H54 H57-H59|A10|general|flat|old|s|08 09 10 11 12 13 14|5|4300|5
H60-H95|耳病|H60-H62 H65-H75 H80-H83 H90-H95|A11|general|flat|all|c|18 19 20|3|3700|6
I00-I99|循环系统疾病|I00-I15 I20-I28 I30-I52 I60-I89 I95-I99|A03|general|winter|old|s|35 36 37 38 39|9|6900|9
J00-J99|呼吸系统疾病|J00-J22 J30-J47 J60-J70 J80-J86 J90-J99|A03|general|winter|all|c|21 22 27 28 30 31 32 33 34|8|4400|8
K00-K93|消化系统疾病|K00-K14 K20-K31 K35-K38 K40-K46 K50-K67 K70-K87 K90-K93|A04|general|flat|middle|c|24 27 42 43 44 45 46 47 48 49 50 51 52 53 54|11|5200|7
L00-L99|皮肤病|L00-L08 L10-L14 L20-L30 L40-L45 L50-L60 L62-L75 L80-L98|A13|general|summer|all|c|86|4|3700|8
M00-M99|肌肉骨骼疾病|M00-M25 M30-M36 M40-M54 M60-M79 M80-M99|A04|bones|flat|middle|c|77 78 79 80 81 82 83|9|5600|9
N00-N99|泌尿生殖疾病|N00-N23 N25-N51 N60-N64 N70-N77 N80-N99|A04|general|flat|adult|s|55 56 57 58 59|8|5600|7
O00-O99|妊娠与分娩|O00-O08 O10-O16 O20-O48 O60-O75 O85-O92 O98-O99|A05|mother|flat|mother|s|69 72 73 74 75|6|4200|5
P00-P96|围产期疾病|P00-P04 P10-P15 P20-P29 P35-P39 P50-P61 P70-P78 P80-P83 P90-P96|A07|child|flat|newborn|s|96 99|3|6300|8
Q00-Q99|先天畸形|Q00-Q07 Q10-Q18 Q20-Q28 Q30-Q45 Q50-Q56 Q60-Q99|A07|child|flat|child|t|01 18 27 35 46 53 58 77|3|9200|8
R00-R99|症状与体征|R00-R23 R25-R69|A03|general|flat|all|p|44 45 87|4|3200|6
S00-T98|损伤与中毒|S00-S99 T00-T14 T15-T19 T26-T30 T33-T65 T66-T88 T90-T95|A04|bones|summer|adult|c|77 78 79 80 82 83 84 86|12|5900|9
Z00-Z99|其他保健因素|Z40-Z50 Z52-Z54|A04|general|flat|adult|c|86 97|1|4600|7
"""  # noqa: E501 a table reads best with one chapter a line

CHAPTERS: tuple[Chapter, ...] = tuple(_chapter(line) for line in _LINES.strip().splitlines())

# Sex that goes with a range of categories (checked by quality control, so the demo keeps to it).
_FEMALE = ("C51-C58", "D06-D06", "D25-D28", "N60-N64", "N70-N98", "O00-O99", "Q50-Q52")
_MALE = ("C60-C63", "D29-D29", "N40-N51", "Q53-Q55")


def _within(category: str, span: str) -> bool:
    return span[:3] <= category <= span[4:]


def chapter_of(code: str) -> Chapter:
    """Return the chapter of a diagnosis code; a code outside all chapters is a programming error."""
    for chapter in CHAPTERS:
        if _within(code[:3], chapter.span):
            return chapter
    raise KeyError(code)


def sex_of(code: str) -> str:
    """Return ``f``, ``m`` or ``b`` (both) for a diagnosis code."""
    category = code[:3]
    if any(_within(category, span) for span in _FEMALE):
        return "f"
    return "m" if any(_within(category, span) for span in _MALE) else "b"


def categories(chapter: Chapter) -> list[str]:
    """Return the three-character categories of a chapter in order."""
    found = []
    for block in chapter.blocks.split():
        low, high = block.split("-")
        found += [f"{low[0]}{number:02d}" for number in range(int(low[1:]), int(high[1:]) + 1)]
    return found
