"""A small genome with annotations for the report."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.report.genome import build


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """See `genome.build`."""
    return build(tmp_path)
