"""What a section on special review must not say."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from fenzhi.policy.review import SpecialReview

COST = {"name": "cost", "cost_multiple": 2}


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"criteria": [{"name": "c"}]}, "the criterion 'c' states no condition"),
        ({"criteria": [{"name": "c", "age_from": 7, "age_upto": 6}]}, "the criterion 'c' holds for no age"),
        ({"criteria": [COST, COST]}, "two criteria have the same name"),
        ({"criteria": [COST], "rank_by": ["cost", "cost"]}, "rank_by lists a criterion twice"),
        ({"criteria": [COST], "quota": "1.001"}, "less than or equal to 1"),
        ({"criteria": [COST], "level_quotas": {"3": "1.001"}}, "less than or equal to 1"),
        ({"criteria": []}, "at least 1 item"),
        ({"criteria": [COST], "outcomes": ["bonus"]}, "Input should be"),
    ],
)
def test_a_section_that_contradicts_itself_is_refused(section, message):
    with pytest.raises(ValidationError, match=message):
        SpecialReview.model_validate({"quota": "0.005", **section})
