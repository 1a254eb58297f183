"""The policy pack as the twins read it: a plain dict with every key, numbers as text."""

from __future__ import annotations

from typing import Any


def band(name: str, above: str, upto: str | None, points: str, included: str = "") -> dict[str, Any]:
    """One deviation band; ``included`` holds ``above`` and / or ``upto`` when the limit belongs to it."""
    return {
        "name": name,
        "title": name,
        "above": above,
        "upto": upto,
        "above_included": "above" in included,
        "upto_included": "upto" in included,
        "points": points,
    }


OPTIONAL: dict[str, dict[str, Any]] = {
    "grassroots": {"coefficient": None},
    "auxiliary": {
        "source": "measured",
        "comorbidity": None,
        "min_cases": 15,
        "min_level_cases": 5,
        "cv_drop": "0.2",
        "decimals": 4,
        "excluded_layers": ["comprehensive", "tcm"],
    },
    "stability": {"cv_max": "1", "min_cases": 5, "both": False, "rule": "normal", "factor": "1"},
    "incomplete": {
        "ways": [],
        "los_below_days": None,
        "reference": "all_level_mean",
        "coefficient": False,
    },
    "bed_day": {"coefficient": False},
    "readmission": {"same_hospital": True},
    "add_ons": {"cap": None},
    "sharing": {"surplus": [], "overrun": []},
    "tcm": {
        "ratio_limit": "0.6",
        "ratio_included": True,
        "tcm_fees": ["tcm_treat_fee", "tcmpat_fee", "tcmherb_fee"],
        "western_fees": ["treat_fee", "drug_fee", "oprn_fee", "matl_fee"],
        "diagnosis_match": "prefix",
    },
    "special_review": {
        "match": "any",
        "reference": "payment_standard",
        "level_quotas": {},
        "rank_by": ["cost_multiple"],
        "outcomes": ["fee_for_service", "adjusted_standard", "coefficient", "expert_points", "refused"],
    },
}


def tier(above: str, upto: str | None, bands: list[dict[str, Any]], included: str = "") -> dict[str, Any]:
    """One tier of weights with its bands; ``included`` as for a band."""
    return {
        "rw_above": above,
        "rw_upto": upto,
        "rw_above_included": "above" in included,
        "rw_upto_included": "upto" in included,
        "bands": bands,
    }


def base_rules(**sections: dict[str, Any] | None) -> dict[str, Any]:
    """A whole pack with the defaults that docs/rules.md and the policy reference state, sections overlaid."""
    rules: dict[str, Any] = {
        "scope": {
            "cost": "total_minus_paid_apart",
            "min_los_days": None,
            "max_los_days": None,
            "other_tracks": {},
        },
        "grouping": {
            "precedence": ["layer", "most_terms", "most_related", "diagnosis_specificity", "group_id"],
            "class_order": [],
            "unknown_operation_type": "conservative",
            "interventional_as": "surgery",
            "comprehensive_type": "main",
            "excluded_diagnosis_match": "exact",
        },
        "ungrouped": {"rule": "share_of_cost", "factor": "0.7"},
        "weights": {
            "method": "mean_cost",
            "scale": 1000,
            "decimals": 4,
            "benchmark_group": None,
            "standard_yuan": None,
            "year_weights": [1, 2, 7],
            "pooling": "yearly_means",
            "trim": {"method": "percentile", "low": "0.025", "high": "0.975", "k": "2", "min_cases": 25},
        },
        "coefficients": {
            "form": "class",
            "by": ["level", "type"],
            "cost_years": 2,
            "min_cases": 5,
            "decimals": 4,
            "grassroots_exempt": True,
            "exempt_layers": [],
            "items": [],
            "levels": {},
            "level_order": [],
            "floor": None,
            "cap": None,
        },
        "grassroots": None,
        "auxiliary": None,
        "points": {"decimals": 4},
        "stability": None,
        "deviation": {
            "test_reference": "same_level_mean",
            "factor_reference": "same_level_mean",
            "bands": [band("normal", "0", None, "normal")],
            "tiers": [],
            "top_share": None,
        },
        "incomplete": None,
        "bed_day": None,
        "readmission": None,
        "tcm": None,
        "add_ons": None,
        "special_review": None,
        "tracks": [],
        "point_value": {
            "opening": "mean",
            "opening_low": "0.025",
            "opening_high": "0.975",
            "settlement": "ratio",
            "rate": "floating",
            "elastic": None,
            "floor": None,
            "ceiling": None,
            "period": "year",
            "period_split": "booked",
            "decimals": 4,
        },
        "sharing": None,
        "settlement": {
            "advance_ratio": "0.90",
            "working_capital_months": "1",
            "residual": "apportion",
            "deposit_ratio": "0",
            "deposit_release": "assessment",
            "clearing": "year",
            "next_year_violation_share": "0",
        },
    }
    for name, section in sections.items():
        if section is not None:
            rules[name] = {**(rules[name] or OPTIONAL[name]), **section}
    return rules
