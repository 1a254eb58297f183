"""Which policy and catalogue held, in words; of several that follow each other within the year each with its days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fenzhi.reports.tables import RunTables
from fenzhi.reports.words import Words


def rules_lines(tables: RunTables, words: Words) -> list[tuple[str, str]]:
    """Return title and text of the policy and the catalogue; of several that follow each other with days and stays."""
    if not tables.rules:
        policy, catalog = tables.manifest["policy"], tables.manifest["catalog"]
        return [
            (words("policy"), f"{policy_title(policy, words)} ({policy['id']})"),
            (words("catalog"), f"{catalog['title']} {catalog['version']}"),
        ]
    return [
        (
            words("rules_held", first=entry["first"], last=entry["last"]),
            words(
                "rules_text",
                policy=f"{policy_title(entry['policy'], words)} ({entry['policy']['id']})",
                catalog=f"{entry['catalog']['title']} {entry['catalog']['version']}",
                stays=f"{entry['stays']:,}",
            ),
        )
        for entry in tables.rules
    ]


def policy_title(policy: Mapping[str, Any], words: Words) -> str:
    """Return the policy's title, in English if the page is and the policy has one."""
    return str((words.lang == "en" and policy.get("title_en")) or policy["title"])
