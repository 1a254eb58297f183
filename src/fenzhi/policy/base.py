"""What every section of a policy pack is made of: kinds of numbers, the frozen model, source and confidence."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

Rate = Annotated[Decimal, Field(ge=0, le=1)]
Positive = Annotated[Decimal, Field(gt=0)]
Limit = Annotated[Decimal, Field(ge=0, decimal_places=4)]
Decimals = Annotated[int, Field(ge=0, le=4)]
# Columns of the records that name a part of the cost.
Fee = Literal[
    "drug_fee",
    "matl_fee",
    "exam_fee",
    "treat_fee",
    "oprn_fee",
    "tcm_treat_fee",
    "tcmpat_fee",
    "tcmherb_fee",
    "oth_fee",
]


class Confidence(StrEnum):
    """How sure a section is."""

    OFFICIAL = "official"
    ARTICLE = "published article"
    PROGRAM = "read from a public program"
    SAMPLE = "sample"


class Model(BaseModel):
    """Frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Section(Model):
    """A part of a pack with its source."""

    cite: str = ""
    confidence: Confidence = Confidence.SAMPLE


class Fault(NamedTuple):
    """One thing that is wrong with a section; ``at``: where inside it, as far as it is one place."""

    message: str
    at: tuple[int | str, ...] = ()


class FaultsError(ValueError):
    """All that is wrong with a section, raised at once by its validator."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(fault.message for fault in self.faults))


def refuse(faults: Iterable[Fault]) -> None:
    """Raise :class:`FaultsError` if there are any."""
    found = tuple(faults)
    if found:
        raise FaultsError(found)
