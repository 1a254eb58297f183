"""The section on TCM-advantage groups (中医优势病种): who enters them, and who is paid as in the normal group."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field, model_validator

from fenzhi.policy.base import Fee, Rate, Section


class Tcm(Section):
    """TCM-advantage groups, tried before the normal ones; the catalogue's ``tcm_groups.csv`` lists them.

    A stay that meets a group's conditions enters it if TCM fees / (TCM fees + western fees) reaches ``ratio_limit``
    (``ratio_included``: the limit itself is enough). The ratio is not rounded. ``tcm_fees``, ``western_fees``: columns
    of the records; a fee that is missing never passes. ``diagnosis_match``: ``prefix``, a listed diagnosis also stands
    for everything it begins; ``exact``.
    """

    ratio_limit: Rate = Decimal("0.6")
    ratio_included: bool = True
    tcm_fees: tuple[Fee, ...] = Field(default=("tcm_treat_fee", "tcmpat_fee", "tcmherb_fee"), min_length=1)
    western_fees: tuple[Fee, ...] = ("treat_fee", "drug_fee", "oprn_fee", "matl_fee")
    diagnosis_match: Literal["prefix", "exact"] = "prefix"

    @model_validator(mode="after")
    def _check(self) -> Tcm:
        fees = [*self.tcm_fees, *self.western_fees]
        if len(set(fees)) != len(fees):
            raise ValueError("tcm names a fee twice: a fee is either of Chinese medicine or western")
        return self
