"""Read a policy pack from TOML: exact decimals, ``extends`` laid under it, errors that name file, line and key."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fenzhi.policy.errors import errors_of
from fenzhi.policy.layers import merged, read_layers
from fenzhi.policy.models import Policy


def load_policy(name: str | Path, near: Path | None = None) -> Policy:
    """Load a pack by path or shipped id.

    Raises :class:`PolicyError` naming file, line, key, value and remedy when the pack is missing, is not TOML,
    has an unknown key, a value out of range, contradicts or extends itself. The file is the one of the chain
    of ``extends`` that is wrong; :func:`fenzhi.policy.check.check_pack` finds all errors at once.
    """
    layers = read_layers(name, near)
    errors = errors_of(layers)
    if errors:
        raise errors[0]
    return Policy.model_validate(merged(layers))


def policy_hash(policy: Policy) -> str:
    """Return the SHA-256 of the pack's merged content, for the manifest of a run."""
    return hashlib.sha256(policy.model_dump_json().encode()).hexdigest()
