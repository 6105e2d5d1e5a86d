"""How many cores of the CPU there are for this process."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["usable_cores"]

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_cores() -> int:
    """How many cores this process may use, by its affinity and the quota of its container."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    try:
        quota, period = _QUOTA.read_text(encoding="ascii").split()
        cores = min(cores, max(1, round(int(quota) / int(period))))
    except (OSError, ValueError):  # no container, or one without quota
        pass
    return cores
