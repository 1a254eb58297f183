"""What every section of a policy pack is made of: kinds of numbers, the frozen model, source and confidence."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Rate = Annotated[Decimal, Field(ge=0, le=1)]
Positive = Annotated[Decimal, Field(gt=0)]
Limit = Annotated[Decimal, Field(ge=0, decimal_places=4)]
Decimals = Annotated[int, Field(ge=0, le=4)]


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
