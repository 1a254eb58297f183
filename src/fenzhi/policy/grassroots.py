"""The section on grassroots groups: what they are paid, and which groups become some."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from fenzhi.policy.base import Limit, Positive, Rate, Section


class Grassroots(Section):
    """Grassroots groups: common diseases that primary institutions treat at much the same cost.

    ``coefficient``: all hospitals have it in grassroots groups, in place of 1 or of their own; without it
    ``coefficients.grassroots_exempt`` decides. The others choose the groups from the history
    (``fenzhi catalog grassroots``): no comprehensive ones, at least ``min_cases`` stays, at least ``share_min`` of
    them in hospitals of the ``primary_levels``, coefficient of variation at most ``cv_max``.
    """

    coefficient: Annotated[Limit, Field(gt=0)] | None = None
    primary_levels: tuple[str, ...] = ()
    share_min: Rate = Decimal("0.5")
    cv_max: Positive = Decimal("0.7")
    min_cases: Annotated[int, Field(ge=1)] = 10
