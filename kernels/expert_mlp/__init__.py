"""Mixture-of-experts feed-forward: front door."""

from .reference import Routing, expert_mlp, route

__all__ = ["Routing", "expert_mlp", "route"]
