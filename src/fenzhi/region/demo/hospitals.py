"""Hospitals of the demo region: levels, types, counties, what each is for and how expensive it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from fenzhi.arrays import Bools, Floats, Int64s
from fenzhi.region.demo.chapters import SERVICES
from fenzhi.region.demo.diseases import MIXES

AREA = "990100"
PRICES = {3: 1.35, 2: 1.0, 1: 0.75}
TERTIARY_EXPONENT = 0.43
SECONDARY_FACTOR, SECONDARY_EXPONENT = 0.8588, 0.7366
_STEMS = "甲乙丙丁戊己庚辛壬癸子丑寅"

# What the hospitals of a level are, in this order and then again: type, what it is for, name.
_KINDS: dict[int, tuple[tuple[str, str, str], ...]] = {
    3: (
        ("general", "general", "市第{n}人民医院"),
        ("general", "general", "市第{n}中心医院"),
        ("tcm", "general", "市第{n}中医医院"),
        ("children", "child", "市第{n}儿童医院"),
        ("specialist", "tumour", "市第{n}肿瘤医院"),
    ),
    2: (
        ("general", "general", "{c}第{n}人民医院"),
        ("tcm", "general", "{c}第{n}中医医院"),
        ("general", "general", "{c}第{n}综合医院"),
        ("specialist", "mother", "{c}第{n}妇幼保健院"),
        ("general", "general", "{c}第{n}医院"),
        ("specialist", "mind", "{c}第{n}精神病医院"),
        ("tcm", "general", "{c}第{n}中西医结合医院"),
        ("specialist", "bones", "{c}第{n}骨科医院"),
    ),
    1: (
        ("general", "general", "{c}第{n}中心卫生院"),
        ("general", "general", "{c}第{n}卫生院"),
        ("general", "general", "{c}第{n}社区卫生服务中心"),
        ("general", "general", "{c}第{n}乡卫生院"),
        ("tcm", "general", "{c}第{n}中医门诊部(住院)"),
        ("general", "general", "{c}第{n}镇卫生院"),
        ("general", "general", "{c}第{n}医院(民营)"),
    ),
}
# How much more (or less) a hospital takes of a service than a general one; rows: what it is for.
_AFFINITY = np.array(
    [
        # general tumour bones mind mother child
        [1.0, 1.0, 1.0, 0.15, 1.0, 1.0],
        [0.08, 6.0, 0.02, 0.0, 0.1, 0.0],
        [0.05, 0.05, 7.0, 0.0, 0.0, 0.1],
        [0.04, 0.0, 0.0, 60.0, 0.0, 0.0],
        [0.05, 0.1, 0.0, 0.0, 6.0, 2.5],
        [0.0, 0.15, 0.15, 0.1, 0.0, 9.0],
    ]
)


@dataclass(frozen=True)
class Hospitals:
    """The table as written to hospitals.csv, and arrays in its order.

    ``chances`` is the cumulated chance of a hospital for each class of cells (mix x service), one row per
    class; a class is ``mix * len(SERVICES) + service``. ``los_missing``: share of stays without LOS.
    """

    table: pl.DataFrame
    level: Int64s
    tcm: Bools
    price: Floats
    los_missing: Floats
    chances: Floats

    def __len__(self) -> int:
        return len(self.level)


def level_counts(hospitals: int) -> dict[int, int]:
    """Return how many hospitals of level 3, 2 and 1 a region of that many has (40: 5, 13, 22)."""
    third = max(1, round(hospitals**TERTIARY_EXPONENT))
    second = max(1, round(SECONDARY_FACTOR * hospitals**SECONDARY_EXPONENT))
    return {3: third, 2: second, 1: hospitals - third - second}


def make_hospitals(hospitals: int, rng: np.random.Generator) -> Hospitals:
    """Return that many hospitals with sizes, prices and specialities drawn."""
    counties = [f"{stem}县" for stem in _STEMS[: max(2, min(len(_STEMS), hospitals // 7))]]
    rows: list[dict[str, str]] = []
    services = []
    for level, count in level_counts(hospitals).items():
        kinds = _KINDS[level]
        for at in range(count):
            kind, service, name = kinds[at % len(kinds)]
            county = "市辖区" if level == 3 else counties[at % len(counties)]
            rows.append(
                {
                    "fixmedins_code": f"H{AREA}{len(rows) + 1:05d}",
                    "fixmedins_name": "示范" + name.format(c=county, n=at // len(kinds) + 1) + "(合成)",
                    "level": str(level),
                    "type": kind,
                    "county": county,
                    "community": "" if level == 3 or service != "general" else f"{county}医共体",
                    "coefficient": "",
                }
            )
            services.append(SERVICES.index(service))
    level_of: Int64s = np.array([int(row["level"]) for row in rows], dtype=np.int64)
    service_of = np.array(services)
    size = rng.lognormal(0, 0.6, len(rows))
    chances = np.zeros((len(MIXES) * len(SERVICES), len(rows)))
    for mix, by_level in enumerate(MIXES.values()):
        for wanted in range(len(SERVICES)):
            row = chances[mix * len(SERVICES) + wanted]
            for grade, share in zip((3, 2, 1), by_level, strict=True):
                part = np.where(level_of == grade, size * _AFFINITY[service_of, wanted], 0.0)
                row += share * part / part.sum()
    price = np.array([PRICES[int(level)] for level in level_of]) * rng.lognormal(0, 0.06, len(rows))
    return Hospitals(
        table=pl.DataFrame(rows),
        level=level_of,
        tcm=np.array([row["type"] == "tcm" for row in rows]),
        price=price,
        los_missing=np.where(rng.random(len(rows)) < 0.15, 0.8, 0.03),
        chances=np.cumsum(chances / chances.sum(axis=1, keepdims=True), axis=1),
    )
