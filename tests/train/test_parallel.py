"""Several processes train as one: same weights everywhere, gradients averaged.

python -m pytest tests/train/test_parallel.py
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from augustus_dl.train.dataset import Batch
from augustus_dl.train.parallel import Workers, backward, over_threads

STEPS = 3


def step(workers: Workers, wants_to_stop: bool) -> tuple[torch.Tensor, bool]:
    """The weights after some steps on inputs of one's own, and whether to stop."""
    torch.manual_seed(1)
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    stop = False
    for number in range(STEPS):
        model(inputs(number, workers.rank)).square().mean().backward()
        workers.average_gradients(model.parameters())
        (stop,) = workers.any(wants_to_stop and number == STEPS - 1)
        optimizer.step()
        optimizer.zero_grad()
    return model.weight.detach(), stop


def inputs(number: int, rank: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(100 * number + rank)
    return torch.randn(8, 4, generator=generator)


def main(folder: str) -> None:
    """What each process runs; only number 1 wants to stop."""
    workers = Workers(torch.device("cpu"))
    weight, stop = step(workers, wants_to_stop=workers.rank == 1)
    torch.save({"weight": weight, "stop": stop}, Path(folder) / f"{workers.rank}.pt")
    assert workers.from_main(workers.rank + 1.5) == [1.5]
    workers.leave()


def test_one_process_is_left_alone() -> None:
    workers = Workers(torch.device("cpu"))
    assert (workers.rank, workers.size) == (0, 1)
    assert step(workers, wants_to_stop=True)[1] and not step(workers, wants_to_stop=False)[1]
    workers.leave()


def test_two_processes_train_as_one_on_both_inputs(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    code = f"import sys; sys.path.insert(0, {os.path.dirname(__file__)!r}); "
    code += f"import test_parallel as t; t.main({str(tmp_path)!r})"
    runs = [
        subprocess.Popen([sys.executable, "-c", code], env={**shared, "RANK": str(rank)})
        for rank in range(2)
    ]
    assert [run.wait(120) for run in runs] == [0, 0]
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    assert torch.equal(first["weight"], second["weight"])
    assert first["stop"] and second["stop"]

    torch.manual_seed(1)
    model = torch.nn.Linear(4, 1)
    for number in range(STEPS):
        both = torch.cat([inputs(number, rank) for rank in range(2)])
        loss = F.mse_loss(model(both), torch.zeros(16, 1))
        for p, gradient in zip(
            model.parameters(), torch.autograd.grad(loss, list(model.parameters())), strict=True
        ):
            p.data -= 0.1 * gradient
    torch.testing.assert_close(first["weight"], model.weight.detach())


def test_threads_share_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradients and losses are those of the parts' means; unused parameters have none."""
    weights = [torch.nn.Parameter(torch.tensor([2.0, 3.0])), torch.nn.Parameter(torch.zeros(1))]
    sizes: list[int] = []

    def losses_of(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        sizes.append(len(batch[0]))
        return (batch[0] * weights[0]).mean(), (batch[1] * weights[0] ** 2).mean()

    batch = Batch(*(torch.rand(4, 2) for _ in Batch._fields))
    found = []
    for threads in (1, 2):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        for parameter in weights:
            parameter.grad = None
        losses = backward(losses_of, batch, weights, 0.5)
        found.append((losses, weights[0].grad.clone()))
        assert weights[1].grad is None
    assert sorted(sizes) == [2, 2, 4]
    backward(losses_of, batch, weights, 0.5)
    torch.testing.assert_close(weights[0].grad, 2 * found[0][1])
    for alone, shared in zip(*found, strict=True):
        torch.testing.assert_close(alone, shared)


def test_results_come_in_order() -> None:
    before = torch.get_num_threads()
    assert over_threads(lambda x: x * x, range(20)) == [x * x for x in range(20)]
    assert torch.get_num_threads() == before
