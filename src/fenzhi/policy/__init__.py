"""Policy packs: models, loading, overlays."""

from fenzhi.policy.layers import find_policy, policies_dir, read_toml
from fenzhi.policy.load import load_policy, policy_hash
from fenzhi.policy.models import Policy

__all__ = ["Policy", "find_policy", "load_policy", "policies_dir", "policy_hash", "read_toml"]
