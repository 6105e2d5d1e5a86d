"""Seeds, the hypothesis profile, and a small random network of all tests."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small tensors: threads only wait for each other

settings.register_profile("augustus-dl", deadline=None, max_examples=150, derandomize=True)
settings.load_profile("augustus-dl")


@pytest.fixture(autouse=True)
def _seeds() -> None:
    random.seed(0)
    np.random.seed(0)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """What the tests compile goes to no cache of the user's, and serves their next run; they find
    no species of the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        patch.setenv("XDG_CACHE_HOME", str(pytestconfig.cache.mkdir("compiled")))
        yield


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Species folder of a random network that reaches 1536 bases and finds many genes anywhere.

    Do not write into it; it is the same for all tests.
    """
    import torch

    from augustus_dl.network.config import NetworkConfig
    from augustus_dl.network.model import AnnotationModel
    from augustus_dl.profile_files import write_profile

    folder = tmp_path_factory.mktemp("species") / "toy"
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(1)
        model = AnnotationModel(NetworkConfig(size="tiny", clade="yeasts", window=8))
        model.head[1].weight *= 4
    model.save_pretrained(folder)
    write_profile(
        folder,
        "toy",
        clade="yeasts",
        decoder={"gene_start": 12.0, "intron": 8.0, "min_coding_length": 60},
        status="clade",
        beats_augustus=False,
        scores={},
    )
    return folder
