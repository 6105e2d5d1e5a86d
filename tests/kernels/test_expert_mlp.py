"""Mixture of experts: all ways of computing it against a loop over tokens, and the router.

python -m pytest tests/kernels/test_expert_mlp.py
"""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from augustus_dl.kernels.expert_mlp import expert_mlp, reference, route
from augustus_dl.kernels.testing import TOLERANCE, relative_error
from tests.kernels.fused import check_in_the_interpreter, poisoned

FUSED, ROUTE = torch.ops.augustus_dl.expert_mlp, torch.ops.augustus_dl.route
PATHS = {"gathered": reference.gathered, "all experts": reference.expert_mlp}


def loop(
    x_MC: torch.Tensor,
    experts_MK: torch.Tensor,
    gates_MK: torch.Tensor,
    w_in_ECF2: torch.Tensor,
    w_out_EFC: torch.Tensor,
) -> torch.Tensor:
    """One token and one expert at a time."""
    rows = []
    for token, chosen, gates_K in zip(x_MC, experts_MK.tolist(), gates_MK, strict=True):
        row = torch.zeros_like(token)
        for gate, expert in zip(gates_K, chosen, strict=True):
            both = token @ w_in_ECF2[expert]
            a, b = both[: len(both) // 2], both[len(both) // 2 :]
            row = row + gate * ((F.silu(a) * b) @ w_out_EFC[expert])
        rows.append(row)
    return torch.stack(rows)


def tensors(
    tokens: int, width: int, hidden: int, top_k: int, used: int = 8, experts: int = 8
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Experts; and x, gates, w_in, w_out in float64. Tokens go to the first `used` experts only."""
    generator = torch.Generator().manual_seed(1)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    logits = normal(tokens, experts)
    logits[:, used:] = -1e9
    routing = route(logits, top_k)
    weights = normal(experts, width, 2 * hidden) / width**0.5, normal(experts, hidden, width)
    given = normal(tokens, width), routing.gates_MK.double(), *weights
    return routing.experts_MK, [t.requires_grad_() for t in given]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("top_k", [1, 2, 8])
@pytest.mark.parametrize(("tokens", "width", "hidden"), [(1, 4, 8), (17, 7, 5), (40, 16, 3)])
def test_outputs_and_gradients_are_those_of_the_loop(
    path: str, top_k: int, tokens: int, width: int, hidden: int
) -> None:
    experts, given = tensors(tokens, width, hidden, top_k)
    x, *others = given
    out, expected = PATHS[path](x, experts, *others), loop(x, experts, *others)
    torch.testing.assert_close(out, expected, rtol=1e-10, atol=1e-10)
    upstream = torch.randn(out.shape, dtype=torch.float64)
    grads = torch.autograd.grad(out, given, upstream)
    wanted = torch.autograd.grad(expected, given, upstream)
    torch.testing.assert_close(grads, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("path", PATHS)
def test_experts_without_a_token(path: str) -> None:
    experts, given = tensors(9, 6, 4, top_k=2, used=3)
    assert experts.unique().tolist() == [0, 1, 2]
    x, *others = given
    out = PATHS[path](x, experts, *others)
    torch.testing.assert_close(out, loop(x, experts, *others), rtol=1e-10, atol=1e-10)
    grad_in, grad_out = torch.autograd.grad(out.sum(), given[2:])
    assert not grad_in[3:].any() and not grad_out[3:].any()
    assert grad_in[:3].any() and grad_out[:3].any()


@pytest.mark.parametrize("path", PATHS)
def test_gates_of_zero_give_zero(path: str) -> None:
    experts, given = tensors(4, 6, 4, top_k=2)
    x, gates, *weights = (t.detach() for t in given)
    gates[2] = 0
    out = PATHS[path](x, experts, gates, *weights)
    assert not out[2].any() and out[0].any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_front_door_keeps_the_dtype(dtype: torch.dtype) -> None:
    experts, given = tensors(12, 8, 6, top_k=2)
    x, gates, w_in, w_out = (t.detach() for t in given)
    out = expert_mlp(x.to(dtype), experts, gates.float(), w_in.float(), w_out.float())
    tolerance = 1e-5 if dtype == torch.float32 else 0.1
    assert out.dtype == dtype
    expected = loop(x, experts, gates, w_in, w_out)
    torch.testing.assert_close(out.double(), expected, rtol=0.05, atol=tolerance)
    with torch.autocast("cpu", torch.bfloat16):
        low = expert_mlp(x.to(dtype), experts, gates.float(), w_in.float(), w_out.float())
    assert low.dtype == torch.bfloat16


@pytest.mark.parametrize("top_k", [1, 2, 8])
def test_gates_sum_to_one_over_the_best_experts(top_k: int) -> None:
    logits = torch.randn(50, 8)
    routing = route(logits, top_k)
    assert routing.gates_MK.dtype == torch.float32 and (routing.gates_MK > 0).all()
    torch.testing.assert_close(routing.gates_MK.sum(1), torch.ones(50))
    for row, chosen in zip(logits, routing.experts_MK.tolist(), strict=True):
        assert chosen == sorted(range(8), key=lambda expert: -row[expert])[:top_k]


@pytest.mark.parametrize("experts", [3, 8, 64])
@pytest.mark.parametrize("top_k", [1, 2, 3])
def test_ties_go_to_the_lower_expert(experts: int, top_k: int) -> None:
    routing = route(torch.zeros(5, experts), top_k)
    assert routing.experts_MK.tolist() == [list(range(top_k))] * 5
    torch.testing.assert_close(routing.gates_MK, torch.full((5, top_k), 1 / top_k))
    first = route(torch.tensor([[1.0, 0, 1, 0, 1, 0, 1, 0]]), 2).experts_MK
    assert first.tolist() == [[0, 2]]


def test_routing_is_in_float32() -> None:
    logits = torch.randn(6, 8).bfloat16()
    assert torch.equal(route(logits, 2).gates_MK, route(logits.float(), 2).gates_MK)


def test_the_loss_of_an_even_and_of_a_lopsided_router() -> None:
    """Balance is 1 when tokens spread evenly and E when all go to one; z is logsumexp squared."""
    even = route(torch.eye(4) * 30, 1).loss
    lopsided = route(torch.tensor([[30.0, 0, 0, 0]] * 4), 1).loss
    assert even.item() == pytest.approx(1 + 0.1 * 900, rel=1e-5)
    assert lopsided.item() == pytest.approx(4 + 0.1 * 900, rel=1e-5)
    flat = route(torch.zeros(4, 4), 1).loss
    assert flat.item() == pytest.approx(1 + 0.1 * math.log(4) ** 2, rel=1e-5)


def test_the_loss_pulls_towards_balance() -> None:
    logits = torch.tensor([[2.0, 0, 0, 0]] * 8, requires_grad=True)
    (grad,) = torch.autograd.grad(route(logits, 1).loss, logits)
    assert (grad[:, 0] > 0).all() and (grad[:, 0] > grad[:, 1]).all()


ROUTERS = [(1, 1, 1), (1, 8, 2), (5, 8, 8), (77, 3, 1), (77, 5, 5), (130, 5, 3)]
"""Tokens, experts, and experts a token."""
ROUTER_KINDS = "plain", "ties", "extreme"


def router_logits(tokens: int, experts: int, kind: str) -> torch.Tensor:
    """Float32 on the CPU."""
    logits = 2 * torch.randn(tokens, experts, generator=torch.Generator().manual_seed(1))
    if kind == "ties":
        logits = logits.round() + 0.0
    if kind == "extreme":
        logits = 80 * logits.sign()
        logits[::2, 1:2] = -math.inf
    return logits


def slopes_of(
    routing: reference.Routing, logits_ME: torch.Tensor, slope_MK: torch.Tensor
) -> list[torch.Tensor]:
    """Gradients of the logits through the gates, through the loss, and through both.

    The loss counts as often as there are tokens, or its gradient would be too small to compare.
    """
    gates, loss = (slope_MK * routing.gates_MK).sum(), len(logits_ME) * routing.loss
    outputs = gates, loss, gates + loss
    return [torch.autograd.grad(out, logits_ME, retain_graph=True)[0] for out in outputs]


def compare_router(device: str, tokens: int, experts: int, top_k: int, kind: str) -> None:
    """Choice, gates, loss and gradients, twice, from poisoned memory."""
    logits = router_logits(tokens, experts, kind).to(device).requires_grad_()
    generator = torch.Generator().manual_seed(2)
    slope_MK = torch.randn(tokens, top_k, generator=generator).to(device)
    runs = []
    for _ in range(2):
        with poisoned():
            routing = reference.Routing(*ROUTE(logits, top_k)[:3])
            runs.append([*routing, *slopes_of(routing, logits, slope_MK)])
    assert all(torch.equal(*same) for same in zip(*runs, strict=True))
    exact = logits.detach().double().requires_grad_()
    routing = reference.route(exact, top_k)
    assert torch.equal(runs[0][0], routing.experts_MK)
    expected = [routing.gates_MK, routing.loss, *slopes_of(routing, exact, slope_MK)]
    names = "gates", "loss", "slope of gates", "slope of loss", "slope of both"
    for name, found, wanted in zip(names, runs[0][1:], expected, strict=True):
        assert found.dtype == torch.float32
        error = relative_error(found, wanted)
        assert error <= TOLERANCE[torch.float32], f"{name} of {tokens}, {experts}, {kind}: {error}"


def compare_degenerate_routers(device: str) -> None:
    """NaN goes last; and no token at all, whose mean loss is NaN, has a gradient."""
    logits = torch.zeros(3, 5, device=device)
    logits[0, 2], logits[1, :4], logits[2] = math.nan, math.nan, math.nan
    experts, gates, *_ = ROUTE(logits, 3)
    assert experts.tolist() == [[0, 1, 3], [4, 0, 1], [0, 1, 2]]
    torch.testing.assert_close(gates[0].cpu(), torch.full((3,), 1 / 3))
    logits = torch.empty(0, 5, device=device, requires_grad=True)
    experts, gates, loss, _ = ROUTE(logits, 2)
    assert experts.shape == gates.shape == (0, 2) and loss.isnan()
    (slope,) = torch.autograd.grad(loss, logits)
    assert slope.shape == (0, 5)


def compare_sort(device: str, tokens: int, experts: int, top_k: int) -> None:
    """Slots in the order of their experts, and where each expert begins."""
    from augustus_dl.kernels.expert_mlp import fused

    chosen = reference.route(router_logits(tokens, experts, "plain"), top_k).experts_MK
    with poisoned():
        order, bounds = fused._sort(chosen.contiguous().to(device), experts)
    sort = chosen.flatten().sort(stable=True)
    assert torch.equal(order.long().cpu(), sort.indices)
    ends = sort.values.bincount(minlength=experts).cumsum(0).tolist()
    assert bounds.tolist() == [0, *ends]


def compare_fused(
    device: str,
    dtype: torch.dtype,
    shape: tuple[int, int, int],
    top_k: int,
    used: int,
    experts: int = 8,
) -> None:
    """Outputs and gradients, twice, from poisoned memory."""
    experts, given = tensors(*shape, top_k, used, experts)
    experts = experts.to(device)
    x, gates, w_in, w_out = (t.detach().to(device) for t in given)
    w_out = w_out / shape[2] ** 0.5
    x, w_in, w_out = (t.to(dtype) for t in (x, w_in, w_out))
    given = [t.requires_grad_() for t in (x, gates.float(), w_in, w_out)]
    generator = torch.Generator().manual_seed(2)
    upstream = torch.randn(x.shape, generator=generator).to(device, dtype)
    runs = []
    for _ in range(2):
        with poisoned():
            out = FUSED(given[0], experts, *given[1:])[0]
            runs.append([out, *torch.autograd.grad(out, given, upstream)])
    assert all(torch.equal(*same) for same in zip(*runs, strict=True))
    exact = [t.detach().double().requires_grad_() for t in given]
    out = reference.expert_mlp(exact[0], experts, *exact[1:])
    expected = [out, *torch.autograd.grad(out, exact, upstream.double())]
    names = "out", "x", "gates", "w_in", "w_out"
    for name, found, wanted in zip(names, runs[0], expected, strict=True):
        assert found.dtype == (torch.float32 if name == "gates" else dtype)
        error = relative_error(found, wanted)
        assert error <= TOLERANCE[dtype], f"{name} of {shape}, {top_k}, {used}: {error}"


def check_small(device: str) -> None:
    """bfloat16 is left out: in the interpreter a product of it is one of its bits as integers."""
    from augustus_dl.kernels.expert_mlp import fused_route

    fused_route._PROGRAMS = 2  # so that a program takes several blocks
    for shape in (*ROUTERS, (300, 8, 2)):
        compare_sort(device, *shape)
        for kind in ROUTER_KINDS:
            compare_router(device, *shape, kind)
    compare_degenerate_routers(device)
    compare_fused(device, torch.float32, (1, 7, 70), 2, used=3, experts=3)
    compare_fused(device, torch.float32, (140, 36, 5), 1, used=1, experts=2)
    compare_fused(device, torch.float16, (9, 16, 16), 2, used=2, experts=3)
    experts, given = tensors(5, 8, 6, 2)
    x, *others = (t.detach().float().requires_grad_() for t in given)
    tests = "test_schema", "test_autograd_registration", "test_faketensor"
    torch.library.opcheck(FUSED.default, (x, experts, *others), test_utils=tests)
    torch.library.opcheck(ROUTE.default, (torch.randn(5, 3).requires_grad_(), 2), test_utils=tests)


def test_fused_agrees_in_the_interpreter() -> None:
    check_in_the_interpreter("test_expert_mlp", "check_small")


@pytest.mark.gpu
@pytest.mark.parametrize("kind", ROUTER_KINDS)
@pytest.mark.parametrize("shape", [*ROUTERS, (300_000, 8, 2), (20_000, 64, 6)], ids=str)
def test_fused_router_agrees_on_the_gpu(shape: tuple[int, int, int], kind: str) -> None:
    compare_router("cuda", *shape, kind)


@pytest.mark.gpu
def test_degenerate_routers_on_the_gpu() -> None:
    compare_degenerate_routers("cuda")


@pytest.mark.gpu
@pytest.mark.parametrize("shape", [*ROUTERS, (100_000, 8, 2)], ids=str)
def test_slots_are_sorted_on_the_gpu(shape: tuple[int, int, int]) -> None:
    compare_sort("cuda", *shape)


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize(
    ("shape", "top_k", "used"),
    [
        ((1, 32, 32), 2, 8),
        ((1000, 72, 40), 2, 3),
        ((4096, 192, 192), 8, 8),
        ((16384, 256, 256), 2, 8),
    ],
)
def test_fused_agrees_on_the_gpu(
    dtype: torch.dtype, shape: tuple[int, int, int], top_k: int, used: int
) -> None:
    compare_fused("cuda", dtype, shape, top_k, used)


@pytest.mark.gpu
def test_a_mixture_layer_compiles_and_agrees_with_the_cpu_on_the_gpu() -> None:
    """As training runs it: in one graph, under autocast, with weights in float32."""
    from augustus_dl.network.layers import Experts

    torch.manual_seed(1)
    layer = Experts(64, 48, 8, 2, clades=3)
    x_BTC, clade_B = torch.randn(2, 300, 64), torch.tensor([0, 2])
    expected, loss = layer(x_BTC, clade_B)
    (expected.square().mean() + loss).backward()
    wanted = {name: p.grad.clone() for name, p in layer.named_parameters()}
    layer = layer.cuda()
    layer.zero_grad()
    compiled = torch.compile(layer, fullgraph=True)
    with torch.autocast("cuda", torch.bfloat16):
        out, loss = compiled(x_BTC.cuda(), clade_B.cuda())
    assert out.dtype == torch.bfloat16
    (out.float().square().mean() + loss).backward()
    assert relative_error(out.cpu(), expected) <= TOLERANCE[torch.bfloat16]
    for name, p in layer.named_parameters():
        assert p.grad.dtype == torch.float32
        assert relative_error(p.grad.cpu(), wanted[name]) <= 2 * TOLERANCE[torch.bfloat16], name
