"""Sliding-window attention with symmetric ALiBi: front door."""

from .reference import alibi_slopes, window_attention

__all__ = ["alibi_slopes", "window_attention"]
