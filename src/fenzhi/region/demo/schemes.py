"""How the demo region pays: by DIP, or by DRG with rates or with points. All figures are samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fenzhi.region.demo.reviews import COST_MULTIPLE, LONG_DAYS, QUOTA_PERMILLE
from fenzhi.region.demo.tracks import POLICY as TRACKS

YEAR = 2027


@dataclass(frozen=True)
class Scheme:
    """What of the demo region depends on how it pays.

    ``region`` is the id of region.toml, ``catalog`` the catalogue it names,
    ``policy`` the text of policy.toml. ``shipped_catalog``: the catalogue comes with fenzhi and needs no kinds of
    operations; the other kind is built from the region's history.
    ``tracks``: it has the other tracks of demo/tracks.py.
    ``returns``: some patients come back soon. ``bed_days_inside``: bed-day stays are paid out of the by-disease
    fund, so the budget takes nothing out for them. ``reviews``: there are applications for special review.
    """

    region: str
    catalog: str
    policy: str
    shipped_catalog: bool = True
    returns: bool = True
    bed_days_inside: bool = False
    tracks: bool = False
    reviews: bool = False


_DIP = f"""# 示范统筹区的政策:沿用国家规则,限定机构系数,开展特例单议,另有几种其他付费方式。示例,不是任何地区的规定。
# 结余留用与超支分担、质量保证金也是示例。
# The demo region's policy: the national rules, coefficients bounded, special review, a few other tracks,
# sharing of surplus and overrun, a quality deposit. A sample, no region's rule.

[meta]
id = "demo-{YEAR}"
title = "示范政策(在国家 DIP 3.0 规则上限定机构系数,开展特例单议)"
title_en = "Demo policy (national DIP rules 3.0, institution coefficients bounded, special review)"
scheme = "dip"
version = "{YEAR}"
extends = "national-dip-3.0"

[coefficients]
cite = "示例:机构调节系数限定在 0.75 至 1.30 之间"
confidence = "sample"
floor = 0.75
cap = 1.30

[settlement]
cite = "示例:每月预付九成,另留 3% 为质量保证金,按考核系数返还"
confidence = "sample"
deposit_ratio = 0.03

[sharing]
cite = "示例:结余一成以内全部留用,其余留用一半;超支一成以内基金分担三成,其余不分担"
confidence = "sample"

[[sharing.surplus]]
above = 0
upto = 0.90
share = 0.5

[[sharing.surplus]]
above = 0.90
upto = 1
share = 1

[[sharing.overrun]]
above = 1
upto = 1.10
share = 0.3

[[sharing.overrun]]
above = 1.10
share = 0

[special_review]
cite = "示例:住院超过 {LONG_DAYS} 天或费用超过支付标准 {COST_MULTIPLE} 倍可申请,名额为出院病例的 {QUOTA_PERMILLE}‰"
confidence = "sample"
quota = 0.{QUOTA_PERMILLE:03d}
rank_by = ["cost_multiple", "los"]

[[special_review.criteria]]
name = "long_stay"
title = "住院时间长"
los_above_days = {LONG_DAYS}

[[special_review.criteria]]
name = "high_cost"
title = "费用高"
cost_multiple = {COST_MULTIPLE}
{TRACKS}"""

_RATE = f"""# 示范统筹区的政策:DRG 费率法,只改一处。示例,不是任何地区的规定。
# The demo region's policy: DRG with rates, with one change. A sample, no region's rule.

[meta]
id = "demo-drg-{YEAR}"
title = "示范政策(DRG 费率法,限定机构系数)"
title_en = "Demo policy (DRG with rates, institution coefficients bounded)"
scheme = "drg"
version = "{YEAR}"
extends = "national-drg"

[coefficients]
cite = "示例:机构调节系数限定在 0.75 至 1.30 之间"
confidence = "sample"
floor = 0.75
cap = 1.30
"""

_POINTS = f"""# 示范统筹区的政策:DRG 点数法,改两处。示例,不是任何地区的规定。
# The demo region's policy: DRG with points, with two changes. A sample, no region's rule.

[meta]
id = "demo-drg-points-{YEAR}"
title = "示范政策(DRG 点数法,三年历史,限定成本系数)"
title_en = "Demo policy (DRG with points, three years of history, cost coefficients bounded)"
scheme = "drg"
version = "{YEAR}"
extends = "jinhua-drg-2017"

[weights]
cite = "示例:三年历史同等计算"
confidence = "sample"
year_weights = [1, 1, 1]

[coefficients]
cite = "示例:成本系数限定在 0.75 至 1.30 之间"
confidence = "sample"
floor = 0.75
cap = 1.30
"""

DRG_CATALOG = "demonstration-drg"
SCHEMES: Mapping[str, Scheme] = {
    "dip": Scheme(
        f"demo-{YEAR}", "catalog", _DIP, shipped_catalog=False, returns=False, tracks=True, reviews=True
    ),
    "drg-rate": Scheme(f"demo-drg-{YEAR}", DRG_CATALOG, _RATE),
    "drg-points": Scheme(f"demo-drg-{YEAR}", DRG_CATALOG, _POINTS, bed_days_inside=True),
}
