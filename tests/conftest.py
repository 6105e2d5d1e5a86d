"""Seeds and the hypothesis profile of all tests."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("augustus-dl", deadline=None, max_examples=150, derandomize=True)
settings.load_profile("augustus-dl")


@pytest.fixture(autouse=True)
def _seeds() -> None:
    random.seed(0)
    np.random.seed(0)
