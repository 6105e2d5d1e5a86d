"""Prediction by the machines of a cluster; here they are processes of this machine.

python -m pytest tests/test_cluster.py
"""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from augustus_dl import cluster
from augustus_dl.cli.compat import main
from augustus_dl.cluster import predict_on_cluster
from augustus_dl.errors import ClusterError, InputError, OptionError
from augustus_dl.io.fasta import Contig, write_fasta
from augustus_dl.predict import PredictOptions, predict
from augustus_dl.profile import Profile, find_profile

pytest.importorskip("ray")
_STORE = 80 * 2**20


@pytest.fixture(scope="module")
def machines() -> Iterator[Any]:
    """A cluster of two machines with a core each, and one for nothing but its administration."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": _STORE}
    found = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(2):
        found.add_node(num_cpus=1, object_store_memory=_STORE)
    yield found
    found.shutdown()


@pytest.fixture
def profile(toy_folder: Path) -> Profile:
    return find_profile(str(toy_folder))


@pytest.fixture(autouse=True)
def _small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_TASK", 40_000)
    monkeypatch.setattr(cluster, "_LOOK", 0.2)


OPTIONS = PredictOptions(device="cpu")


def contigs(number: int = 16) -> list[Contig]:
    """Of all lengths, with repeats."""
    rng = np.random.default_rng(0)
    letters = np.frombuffer(b"ACGTacgt", dtype=np.uint8)
    lengths = [60_000, 0, 500, *rng.integers(1_000, 60_000, number - 3)]
    return [
        Contig(f"c{i}", letters[rng.integers(0, 8, length)].tobytes())
        for i, length in enumerate(lengths)
    ]


def kill_a_worker(machines: Any) -> None:
    """End one without notice."""
    raylets = {str(n.all_processes["raylet"][0].process.pid) for n in machines.worker_nodes}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            title = (folder / "cmdline").read_bytes()
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:  # it has ended
            continue
        if title.startswith(b"ray::Worker") and parent in raylets:
            os.kill(int(folder.name), signal.SIGKILL)
            return
    raise AssertionError("no worker is there")


def test_a_lost_worker_does_not_change_the_output(
    machines: Any, toy_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fasta = tmp_path / "genome.fa"
    write_fasta(fasta, [contig for contig in contigs() if contig.sequence])
    words = [f"--species={toy_folder}", "--device=cpu", "--sample=100", str(fasta)]
    alone, together, errors = io.StringIO(), io.StringIO(), io.StringIO()
    assert main(words, alone, errors) == 0

    def interrupted(*given: Any, **named: Any) -> Iterator[Any]:
        answers = predict_on_cluster(*given, **named)
        yield next(answers)
        kill_a_worker(machines)
        sys.stdout.write("as Ray does\n")
        yield from answers

    def without_end(text: str) -> str:
        return text.partition("# command line")[0]

    monkeypatch.setattr(cluster, "predict_on_cluster", interrupted)
    assert main([f"--cluster={machines.address}", *words], together, errors) == 0
    assert without_end(together.getvalue()) == without_end(alone.getvalue())
    assert alone.getvalue().count("\tgene\t") > 100
    assert "as Ray does\n" in errors.getvalue()
    assert errors.getvalue().count("# augustus-dl: the worker on machine") == 1


def test_tasks_ahead_are_bounded(
    machines: Any, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_ROOM", 1)
    monkeypatch.setattr(cluster, "_TASK", 1)
    read = []

    def source() -> Iterator[Contig]:
        for contig in contigs(12):
            read.append(contig.name)
            yield contig
        raise InputError("the file is damaged")

    answers = predict_on_cluster(source(), profile, OPTIONS, machines.address)
    assert read == []
    found = [next(answers)]
    assert len(read) <= 4
    with pytest.raises(InputError, match="damaged"):
        found.extend(answers)
    assert found == list(predict(contigs(12), profile, OPTIONS))


def test_a_range_is_part_of_the_first_contig(machines: Any, profile: Profile) -> None:
    options = PredictOptions(device="cpu", range=(10_001, 30_000))
    ((contig, genes),) = predict_on_cluster(contigs(), profile, options, machines.address)
    assert [(contig, genes)] == list(predict(contigs(), profile, options)) and genes
    with pytest.raises(OptionError, match="predictionStart"):
        options = PredictOptions(device="cpu", range=(90_000, None))
        list(predict_on_cluster(contigs(), profile, options, machines.address))


def test_work_that_is_lost_over_and_over_is_given_up(
    machines: Any, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_LOSSES", 0)
    answers = predict_on_cluster(contigs(), profile, OPTIONS, machines.address)
    next(answers)
    kill_a_worker(machines)
    with pytest.raises(ClusterError, match="1 workers were lost while they had c"):
        list(answers)


def test_machines_with_another_version_are_named(
    machines: Any, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "__version__", "9.9")
    with pytest.raises(ClusterError, match=r"^machine \S+ has augustus-dl \S+, not 9\.9$"):
        predict_on_cluster(contigs(), profile, OPTIONS, machines.address)
    with pytest.raises(ClusterError, match="no machine of the cluster has a GPU"):
        predict_on_cluster(contigs(), profile, PredictOptions(device="cuda"), machines.address)


def test_a_machine_without_the_program_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = cluster._actor_class()()
    monkeypatch.setitem(sys.modules, "augustus_dl", None)
    assert worker.open("0", b"", 1) == "does not have augustus-dl in its Python"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "no Ray cluster answers at 127.0.0.1:1: "),
        ("ray://host:1", "--cluster=ray://host:1 is neither auto nor HOST:PORT"),
        ("somewhere", "--cluster=somewhere is neither auto nor HOST:PORT"),
        ("127.0.0.1:999999", "no Ray cluster answers at 127.0.0.1:999999: "),
    ],
)
def test_addresses_where_no_cluster_is(address: str, message: str, profile: Profile) -> None:
    with pytest.raises(ClusterError) as caught:
        predict_on_cluster(contigs(), profile, OPTIONS, address)
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


def test_a_cluster_that_refuses(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(**_: object) -> None:
        raise ConnectionError("Could not find any running Ray instance.\nSee the manual.")

    monkeypatch.setattr("ray.init", refusing)
    with pytest.raises(ClusterError, match=r"used at auto: Could not find any running.*\.$"):
        predict_on_cluster(contigs(), profile, OPTIONS, "auto")


def test_ray_is_optional(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterError, match=r"pip install 'augustus-dl\[cluster\]'$"):
        predict_on_cluster(contigs(), profile, OPTIONS, "auto")
