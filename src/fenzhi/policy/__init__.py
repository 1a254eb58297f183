"""Policy packs: models, loading, overlays."""

from fenzhi.policy.load import find_policy, load_policy, policies_dir, policy_hash, read_toml
from fenzhi.policy.models import Policy

__all__ = ["Policy", "find_policy", "load_policy", "policies_dir", "policy_hash", "read_toml"]
