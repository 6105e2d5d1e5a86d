"""Speed of the kernels on a GPU beside their references, compiled ones, and torch's own operations.

    python -m benchmarks.kernels [--output benchmarks/results/kernels.json] [--seconds 90]

The first shape of each kernel is a training step of the shipped network, the second is larger. A
way to compute is timed only after the same call, with its gradients, came near enough to the
reference in float32; one that fails says so and the next follows. Times are medians, with the L2
cache cleared between runs; the forward pass is timed as in training. A Markdown table goes to
stderr and, with the JSON, to files. After `--seconds` nothing but fused kernels and references is
begun.

`share` is the least time the chip could take over the time taken: arithmetic over peak rate or
bytes (each input read and each output written once) over bandwidth, whichever is more.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

from augustus_dl.kernels import log_partition as chain
from augustus_dl.kernels.expert_mlp import Routing, expert_mlp, route
from augustus_dl.kernels.expert_mlp import reference as experts_reference
from augustus_dl.kernels.log_partition import reference as chain_reference
from augustus_dl.kernels.testing import TOLERANCE, relative_error
from augustus_dl.kernels.window_attention import alibi_slopes, window_attention
from augustus_dl.kernels.window_attention import reference as attention_reference
from augustus_dl.network.shape import SIZES, Sizes
from benchmarks.report import provenance, write_report

ROOT = Path(__file__).resolve().parents[1]
WINDOWS, BASES = 16, 65_536
"""A training step of the shipped checkpoints."""

PEAKS = {"NVIDIA H200": {"bf16": 790e12, "float32": 67e12, "bytes": 4.3e12}}
"""Operations and bytes a second: products of random bf16 matrices and copies within the device as
measured, float32 as NVIDIA's datasheet has it."""

LENIENCE = 5
"""How many times the fused kernels' tolerance other ways may take: they round more often."""

Way = Callable[..., torch.Tensor]


@dataclass(frozen=True)
class Case:
    """A kernel at a shape.

    Attributes:
        inputs: tensors that have gradients, the arguments of every way.
        reference: called on the inputs in the dtype `exact`, the measure of all ways.
        ways: makers of ways by name, the fused one first, the eager reference second.
        operations, unit: of the forward pass, and the key of PEAKS they go by.
        backward: operations of the backward pass as a multiple.
    """

    kernel: str
    shape: str
    inputs: tuple[torch.Tensor, ...]
    reference: Way
    ways: dict[str, Callable[[], Way]]
    tolerance: float
    operations: float
    unit: str = "bf16"
    backward: float = 2.0
    exact: torch.dtype = torch.float32

    def least_ms(self, peaks: dict[str, float], out: torch.Tensor) -> tuple[float, float]:
        """The least time of the forward pass and of both passes."""
        tensors = (*self.inputs, out)
        moved = sum(t.numel() * t.element_size() for t in tensors) / peaks["bytes"]
        work = self.operations / peaks[self.unit]
        # both passes read inputs and output or its gradient, and write output and gradients
        return 1e3 * max(work, moved), 1e3 * max(work * (1 + self.backward), 3 * moved)


@dataclass
class Timing:
    """One row of the table; times in ms, `note` says why there are none."""

    kernel: str
    shape: str
    way: str
    error: float | None = None
    forward_ms: float | None = None
    both_ms: float | None = None
    forward_share: float | None = None
    both_share: float | None = None
    note: str = field(default="")


def normal(*shape: int, dtype: torch.dtype = torch.bfloat16) -> torch.Tensor:
    return torch.randn(shape, device="cuda").to(dtype).requires_grad_()


def attention_case(B: int, H: int, T: int, D: int, window: int) -> Case:
    slopes_H = alibi_slopes(H, torch.device("cuda"))
    rest = slopes_H, window

    def flex() -> Way:
        def near(b, h, i, j):
            return (i - j).abs() <= window

        def alibi(score, b, h, i, j):
            return score - slopes_H[h] * (i - j).abs()

        mask = create_block_mask(near, None, None, T, T, device="cuda")
        compiled = torch.compile(flex_attention, dynamic=False)
        return lambda q, k, v: compiled(q, k, v, score_mod=alibi, block_mask=mask)

    def dense() -> Way:
        if 2 * H * T * T > 4e9:
            raise ValueError(f"the bias would take {2 * H * T * T / 1e9:.0f} GB")
        position = torch.arange(T, device="cuda")
        distance = (position[:, None] - position).abs()
        bias = (-slopes_H[:, None, None] * distance).masked_fill(distance > window, -torch.inf)
        bias = bias.bfloat16().unsqueeze(0)
        return lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=bias)

    reference = attention_reference.window_attention
    pairs = sum(min(T, i + window + 1) - max(0, i - window) for i in range(T))
    return Case(
        kernel="window_attention",
        shape=f"B {B}, H {H}, T {T}, D {D}, W {window}",
        inputs=tuple(normal(B, T, H, D).transpose(1, 2) for _ in range(3)),
        reference=lambda q, k, v: reference(q, k, v, *rest),
        ways={
            "fused": lambda: lambda q, k, v: window_attention(q, k, v, *rest),
            "reference": lambda: lambda q, k, v: reference(q, k, v, *rest),
            "reference, compiled": lambda: _compiled(lambda q, k, v: reference(q, k, v, *rest)),
            "flex_attention, compiled": flex,
            "scaled_dot_product_attention": dense,
        },
        tolerance=TOLERANCE[torch.bfloat16],
        operations=4 * B * H * D * pairs,
        backward=2.5,  # scores anew, and two products for each of the forward pass's
    )


def expert_case(M: int, C: int, width: int, E: int, K: int) -> Case:
    logits_ME = torch.randn(M, E, device="cuda")
    experts_MK, gates_MK, _ = route(logits_ME, K)
    w_in = normal(E, C, 2 * width) * C**-0.5
    w_out = normal(E, width, C) * width**-0.5
    inputs = [normal(M, C), gates_MK, w_in, w_out]

    def call(way: Way) -> Way:
        return lambda x, gates, w_in, w_out: way(x, experts_MK, gates, w_in, w_out)

    return Case(
        kernel="expert_mlp",
        shape=f"M {M}, C {C}, F {width}, E {E}, K {K}",
        inputs=tuple(t.detach().requires_grad_() for t in inputs),
        reference=call(experts_reference.expert_mlp),
        ways={
            "fused": lambda: call(expert_mlp),
            "reference": lambda: call(experts_reference.expert_mlp),
            "reference, compiled": lambda: _compiled(call(experts_reference.expert_mlp)),
            "grouped_mm": lambda: call(grouped),
            "grouped_mm, compiled": lambda: _compiled(call(grouped)),
        },
        tolerance=TOLERANCE[torch.bfloat16],
        operations=6 * M * K * C * width,
    )


def grouped(
    x_MC: torch.Tensor,
    experts_MK: torch.Tensor,
    gates_MK: torch.Tensor,
    w_in_ECF2: torch.Tensor,
    w_out_EFC: torch.Tensor,
) -> torch.Tensor:
    """The mixture by torch's grouped matrix product."""
    product = getattr(F, "grouped_mm", None) or torch._grouped_mm
    expert_S = experts_MK.flatten()
    order_S = expert_S.argsort(stable=True)
    every_E = torch.arange(len(w_in_ECF2), device=x_MC.device)
    ends_E = (expert_S.unsqueeze(1) == every_E).sum(0).cumsum(0).to(torch.int32)
    token_S = order_S // experts_MK.shape[1]
    a, b = product(x_MC[token_S], w_in_ECF2, offs=ends_E).chunk(2, dim=-1)
    hidden = F.silu(a) * b * gates_MK.flatten()[order_S].to(x_MC.dtype).unsqueeze(1)
    out_SC = product(hidden, w_out_EFC, offs=ends_E)
    return torch.zeros_like(x_MC).index_add(0, token_S, out_SC)


def router_case(M: int, E: int, K: int) -> Case:
    """Gates plus the loss, so that no way may leave one of them out."""

    def both(routing: Routing) -> torch.Tensor:
        return routing.gates_MK + routing.loss

    def reference(logits_ME: torch.Tensor) -> torch.Tensor:
        return both(experts_reference.route(logits_ME, K))

    return Case(
        kernel="route",
        shape=f"M {M}, E {E}, K {K}",
        inputs=(normal(M, E, dtype=torch.float32),),
        reference=reference,
        ways={
            "fused": lambda: lambda logits: both(route(logits, K)),
            "reference": lambda: reference,
            "reference, compiled": lambda: _compiled(reference),
        },
        tolerance=TOLERANCE[torch.float32],
        operations=0,
        unit="float32",
    )


def chain_case(B: int, L: int, K: int = 29) -> Case:
    transition_KK = torch.randn(K, K, device="cuda")
    transition_KK[torch.rand(K, K, device="cuda") < 0.3] = float("-inf")
    transition_KK.fill_diagonal_(0.0)

    def stepwise() -> Way:
        @partial(torch.compile, dynamic=False)
        def step(alpha_BK: torch.Tensor, scores_BK: torch.Tensor) -> torch.Tensor:
            return (alpha_BK.unsqueeze(2) + transition_KK).logsumexp(1) + scores_BK

        def run(scores_BLK: torch.Tensor) -> torch.Tensor:
            alpha_BK, *others = scores_BLK.unbind(1)
            for scores_BK in others:
                alpha_BK = step(alpha_BK, scores_BK)
            return alpha_BK.logsumexp(1)

        return run

    def reference(scores_BLK: torch.Tensor) -> torch.Tensor:
        return chain_reference.log_partition(scores_BLK, transition_KK.to(scores_BLK))

    return Case(
        kernel="log_partition",
        shape=f"B {B}, L {L}, K {K}",
        inputs=((3 * torch.randn(B, L, K, device="cuda")).requires_grad_(),),
        reference=reference,
        ways={
            "fused": lambda: lambda scores: chain.log_partition(scores, transition_KK),
            "reference": lambda: reference,
            "reference, a step compiled": stepwise,
        },
        tolerance=1e-4,
        operations=2 * B * L * K * K,
        unit="float32",
        backward=1.0,
        exact=torch.float64,  # log-partitions grow to 1e5, whose float32 neighbours are 0.01 apart
    )


def cases() -> Iterator[Case]:
    """Made one after the other, so that the memory of one is free before the next."""
    config = json.loads((ROOT / "species/generic/config.json").read_text(encoding="utf-8"))
    shape = SIZES[config["size"]]
    width, heads = shape["widths"][-1], shape["heads"]
    tokens = BASES // Sizes.stride
    yield attention_case(WINDOWS, heads, tokens, width // heads, config["window"])
    yield attention_case(8, 16, 8192, 64, 128)
    chosen = Sizes.experts_per_token
    yield expert_case(WINDOWS * tokens, width, shape["expert"], Sizes.experts, chosen)
    yield expert_case(65_536, 512, 512, 16, 2)
    yield router_case(WINDOWS * tokens, Sizes.experts, chosen)
    yield router_case(1_000_000, 16, 2)
    yield chain_case(2 * WINDOWS * BASES // 16_384, 16_384)
    yield chain_case(512, 4096)


def _compiled(way: Way) -> Way:
    return torch.compile(way, dynamic=False)


def both_passes(
    way: Way, inputs: tuple[torch.Tensor, ...], upstream: torch.Tensor
) -> list[torch.Tensor]:
    """Output and gradients."""
    out = way(*inputs)
    return [out, *torch.autograd.grad(out, inputs, upstream.to(out.dtype))]


def median_ms(call: Callable[[], object]) -> float:
    """Median of many runs; of the only one where it takes longer than a tenth of a second."""
    from triton.testing import do_bench

    call()
    torch.cuda.synchronize()
    began = time.perf_counter()
    call()
    torch.cuda.synchronize()
    once = 1e3 * (time.perf_counter() - began)
    return once if once > 100 else do_bench(call, warmup=20, rep=80, return_mode="median")


def timings(case: Case, peaks: dict[str, float] | None, until: float) -> Iterator[Timing]:
    """Rows of a case, those that must not begin after `until` left out by then."""
    exact = tuple(t.detach().to(case.exact).requires_grad_() for t in case.inputs)
    out = case.reference(*exact)
    upstream = torch.randn_like(out)
    expected = [out.detach(), *torch.autograd.grad(out, exact, upstream)]
    del out
    for name, make in case.ways.items():
        row = Timing(case.kernel, case.shape, name)
        try:
            if name not in ("fused", "reference") and time.monotonic() > until:
                raise TimeoutError("no time was left")
            measure(row, case, make(), upstream, expected)
        except Exception as error:  # of whatever kind: the other ways are worth knowing still
            row.note = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:120]}"
        if row.forward_ms and row.both_ms and peaks:
            forward, both = case.least_ms(peaks, expected[0].to(case.inputs[0].dtype))
            row.forward_share, row.both_share = forward / row.forward_ms, both / row.both_ms
        torch.cuda.empty_cache()
        yield row


def measure(
    row: Timing, case: Case, way: Way, upstream: torch.Tensor, expected: list[torch.Tensor]
) -> None:
    """Fill a row; raises ArithmeticError where the way is too far from what is expected."""
    found = both_passes(way, case.inputs, upstream)
    row.error = max(relative_error(*pair) for pair in zip(found, expected, strict=True))
    allowed = case.tolerance * (1 if row.way == "fused" else LENIENCE)
    if row.error > allowed:
        raise ArithmeticError(f"error {row.error:.1e} is more than {allowed:.1e}")
    del found
    row.forward_ms = median_ms(lambda: way(*case.inputs))
    row.both_ms = median_ms(lambda: both_passes(way, case.inputs, upstream))


def markdown(report: dict) -> str:
    """The table, and what it was made by."""
    head = report["provenance"]
    lines = [
        "| kernel | shape | way | error | forward, ms | x | share | both passes, ms | x | share |",
        "|---|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    eager = {(r["kernel"], r["shape"]): r for r in report["rows"] if r["way"] == "reference"}
    for row in report["rows"]:
        known = eager.get((row["kernel"], row["shape"]), row)
        cells = [row["kernel"], row["shape"], row["way"]]
        cells.append("" if row["error"] is None else f"{row['error']:.0e}")
        if row["note"]:
            cells += [row["note"], "", "", "", "", ""]
        for part in () if row["note"] else ("forward", "both"):
            taken, other, share = row[f"{part}_ms"], known[f"{part}_ms"], row[f"{part}_share"]
            cells.append(f"{taken:.3f}")
            cells.append(f"{other / taken:.1f}" if other else "")
            cells.append(f"{share:.0%}" if share else "")
        lines.append("| " + " | ".join(cells) + " |")
    versions = ", ".join(f"{name} {number}" for name, number in head["versions"].items())
    lines += ["", f"Commit {head['commit']}, {head['date']}, {head['device']}. {versions}.", ""]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/results/kernels.json")
    parser.add_argument("--seconds", type=float, default=90, help="begin no extras after these")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("benchmarks.kernels: there is no CUDA device here")
    until = time.monotonic() + options.seconds
    torch.manual_seed(1)
    device = torch.cuda.get_device_name()
    rows = []
    for case in cases():
        for row in timings(case, PEAKS.get(device), until):
            rows.append(vars(row))
            print(rows[-1], file=sys.stderr, flush=True)
    report = {"provenance": provenance(device), "peaks": PEAKS.get(device), "rows": rows}
    text = markdown(report)
    write_report(options.output.parent, options.output.stem, report, text)
    print(text, file=sys.stderr)


if __name__ == "__main__":
    main()
