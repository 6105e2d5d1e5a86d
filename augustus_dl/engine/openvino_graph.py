"""The network as three OpenVINO graphs, made from a checkpoint; no torch.

`down` leads from bases to tokens, piece by piece; `trunk` goes over all tokens of a window; `up`
leads back to scores, again piece by piece. Pieces fit into a processor's cache, and neighbours
share no work but a few tokens. The reference is `network.model`; where something reaches beyond
what a graph is given, the result is narrower instead of padded.

Shapes: L bases, T tokens of 32 bases, n tokens of a piece, C channels. The batch is always one.
Lengths are open, so that each graph is compiled once.
"""

from __future__ import annotations

import numpy as np
from openvino import Model, Node, Type
from openvino import opset13 as ops

from augustus_dl.labels import MIRROR, NUM_LABELS, NUM_UTR_LABELS, UTR_MIRROR
from augustus_dl.network.checkpoint import Checkpoint
from augustus_dl.network.shape import CLADES, NetworkShape

__all__ = ["EDGE", "HALO", "KMER", "NetworkGraphs"]

KMER = 6
HALO = 5
"""Tokens to either side of a piece that `down` is given for it."""
EDGE = 1
"""Tokens to either side of a piece that `up` is given for it."""

_ROWS = 64
"""Tokens of an expert are filled up to a multiple of so many."""
_LOWEST = -32767.0
_NEVER = -1e4
_END, _BEGIN = np.iinfo(np.int64).max, np.iinfo(np.int64).min


class NetworkGraphs:
    """Graphs of one checkpoint.

    Args:
        clade: one that the network knows.
    """

    def __init__(self, shape: NetworkShape, tensors: Checkpoint, clade: str) -> None:
        self._shape, self._tensors, self._clade = shape, tensors, CLADES.index(clade)
        self._widths = shape.shape["widths"]

    def down(self) -> Model:
        """Bases to tokens.

        Inputs, of a piece with HALO tokens to either side: base codes and soft-mask uint8 [1, L],
        numbers of the 6-mers int32 [1, L].

        Outputs: tokens [1, n, C]; and, of the piece with EDGE tokens to either side, what the way
        up adds at 16, 4 and 1 bases a position, [1, C, L] each, where the network has skips.
        """
        w1, w4, w16, w32 = self._widths
        codes, masked = _input([1, -1], Type.u8), _input([1, -1], Type.u8)
        kmers = _input([1, -1], Type.i32)
        bases = ops.one_hot(ops.convert(codes, "i32"), _whole(5), _number(1), _number(0), 1)
        masks = ops.convert(ops.unsqueeze(masked, _whole([1])), "f32")
        table = _number(self._tensors.take("stem.kmer.weight", 4**KMER + 1, w1))
        looked_up = _turned(ops.gather(table, kmers, _whole(0)))
        x = self._conv(ops.concat([bases, masks], 1), "stem.conv", (w1, 6, 9))
        x = ops.gelu(x + looked_up, "ERF")
        at1 = x + ops.gelu(self._conv(x, "stem.refine", (w1, w1, 9)), "ERF")
        x = self._conv(at1, "down4", (w4, w1, 8), stride=4)
        at4 = self._residual(self._residual(x, "conv4.0", w4), "conv4.1", w4)
        x = self._conv(at4, "down16", (w16, w4, 8), stride=4)
        at16 = self._residual(self._residual(x, "conv16.0", w16), "conv16.1", w16)
        x = self._conv(at16, "down32", (w32, w16, 4), stride=2)
        clade = self._tensors.take("clade.weight", self._shape.clades, w32)[self._clade]
        tokens = _turned(_inside(x, HALO, 2)) + _number(clade)
        beside = HALO - EDGE
        skips = [_inside(at, n * beside, 2) for at, n in ((at16, 2), (at4, 8), (at1, 32))]
        return Model([tokens, *skips] if self._shape.skips else [tokens], [codes, masked, kmers])

    def trunk(self) -> Model:
        """Tokens to tokens, [1, T, C] to [1, T - 2 x layers x reach, C].

        With attention T is a multiple of the window.
        """
        width, shape = self._widths[-1], self._shape
        tokens = x = _input([1, -1, width])
        mixer = self._attention if shape.mixer == "attention" else self._gated_conv
        for layer in range(shape.shape["layers"]):
            name = f"trunk.{layer}"
            mixed = mixer(self._norm(x, f"{name}.norm1", width), f"{name}.attention")
            x = _inside(x, shape.reach, 1) + mixed
            normed = self._norm(x, f"{name}.norm2", width)
            part = self._experts if layer in shape.expert_layers else self._feed_forward
            x = x + part(normed, f"{name}.feed_forward")
        return Model([x], [tokens])

    def up(self, both: bool, utr: bool) -> Model:
        """Tokens to scores.

        Inputs: tokens and skips of a piece with EDGE tokens to either side, as from the other
        graphs; with `both` those of the reverse complement behind them, and logits are averaged.
        Last float32 [29], what each label's log-probability is multiplied by; with `utr` [38].

        Output: int16 [1, L, 29 or 38], of the piece alone; see `Engine.scores`.
        """
        inputs, logits = self._way_up(utr)
        if both:
            others, mirrored = self._way_up(utr)
            order = [*MIRROR, *(NUM_LABELS + UTR_MIRROR)] if utr else MIRROR
            turned = _between(mirrored, _END, _BEGIN, 2, step=-1)
            turned = ops.gather(turned, _whole(order), _whole(1))
            logits = ops.multiply(logits + turned, _number(0.5))
            inputs += others
        scale = _input([NUM_LABELS + NUM_UTR_LABELS * utr])
        tracks = [logits]
        if utr:
            tracks = ops.variadic_split(
                logits, _whole(1), _whole([NUM_LABELS, NUM_UTR_LABELS])
            ).outputs()
        logs = ops.concat([ops.log_softmax(_turned(track), -1) for track in tracks], 2)
        grid = ops.maximum(ops.round(ops.multiply(logs, scale), "HALF_TO_EVEN"), _number(_LOWEST))
        return Model([ops.convert(grid, "i16")], [*inputs, scale])

    def _way_up(self, utr: bool) -> tuple[list[Node], Node]:
        """Inputs and logits [1, 29 or 38, L] of one direction."""
        w1, w4, w16, w32 = self._widths
        inputs = [_input([1, -1, w32])]
        x = _turned(inputs[0])
        for name, coarse, fine, factor, kernel in (
            ("up16", w32, w16, 2, 3),
            ("up4", w16, w4, 4, 3),
            ("up1", w4, w1, 4, 9),
        ):
            x = self._finer(x, name, coarse, fine, factor)
            if self._shape.skips:
                inputs.append(_input([1, fine, -1]))
                x = x + inputs[-1]
            x = x + ops.gelu(self._conv(x, f"{name}.mix", (fine, fine, kernel)), "ERF")
        x = _scaled(_inside(x, EDGE * self._shape.stride, 2), 1)
        heads = {"head": NUM_LABELS, "utr_head": NUM_UTR_LABELS}
        made = [
            self._conv(x, f"{name}.1", (labels, w1, 1), norm=f"{name}.0")
            for name, labels in heads.items()
            if name == "head" or self._shape.utr
        ]
        return inputs, ops.concat(made, 1) if utr else made[0]

    def _finer(self, x: Node, name: str, coarse: int, fine: int, factor: int) -> Node:
        """[1, coarse, P] to [1, fine, factor x P]."""
        x = self._conv(
            _scaled(x, 1), f"{name}.expand", (fine * factor, coarse, 1), norm=f"{name}.norm"
        )
        x = ops.reshape(x, _whole([1, factor, fine, -1]), False)
        return ops.reshape(ops.transpose(x, _whole([0, 2, 3, 1])), _whole([1, fine, -1]), False)

    def _residual(self, x: Node, name: str, width: int) -> Node:
        conv = self._conv(_scaled(x, 1), f"{name}.conv", (width, width, 5), norm=f"{name}.norm")
        return x + ops.gelu(conv, "ERF")

    def _conv(
        self, x: Node, name: str, shape: tuple[int, int, int], stride: int = 1, norm: str = ""
    ) -> Node:
        """A convolution that gives one position for each `stride`; the weight of a norm before it
        goes into its own.

        Args:
            shape: of its weight: channels out, channels in, kernel.
        """
        fan_out, fan_in, kernel = shape
        weight = self._tensors.take(f"{name}.weight", *shape)
        if norm:
            weight = weight * self._tensors.take(f"{norm}.weight", fan_in, 1)
        bias = self._tensors.take(f"{name}.bias", fan_out)
        pad = (kernel - stride + 1) // 2
        mixed = ops.convolution(x, _number(weight), [stride], [pad], [pad], [1])
        return mixed + _number(bias[:, None])

    def _linear(self, x: Node, name: str, fan_in: int, fan_out: int) -> Node:
        weight = self._tensors.take(f"{name}.weight", fan_out, fan_in)
        return ops.matmul(x, _number(weight), False, True)

    def _norm(self, x: Node, name: str, width: int, factor: float = 1) -> Node:
        weight = self._tensors.take(f"{name}.weight", width)
        return ops.multiply(_scaled(x, -1), _number(factor * weight))

    def _attention(self, x: Node, name: str) -> Node:
        """Blocks of `window` queries, each with its own and the neighbouring blocks of keys."""
        width, heads, window = self._widths[-1], self._shape.shape["heads"], self._shape.window
        depth = width // heads
        weights = self._tensors.take(f"{name}.qkv.weight", 3 * width, width)
        q, k, v = (
            ops.reshape(
                ops.matmul(part, _number(weight), False, True),
                _whole([-1, window, heads, depth]),
                False,
            )
            for part, weight in zip(
                (_inside(x, window, 1), x, x), np.split(weights, 3), strict=True
            )
        )
        q = self._norm(q, f"{name}.q_norm", depth, factor=depth**-0.5)
        k = self._norm(k, f"{name}.k_norm", depth)
        by_head = _whole([0, 2, 1, 3])
        out = ops.scaled_dot_product_attention(
            ops.transpose(q, by_head),
            ops.transpose(_neighbours(k), by_head),
            ops.transpose(_neighbours(v), by_head),
            _number(_alibi(heads, window)),
            _number(1),
        )
        out = ops.reshape(ops.transpose(out, by_head), _whole([1, -1, width]), False)
        return self._linear(out, f"{name}.out", width, width)

    def _gated_conv(self, x: Node, name: str) -> Node:
        width, reach = self._widths[-1], self._shape.reach
        value_gate = self._linear(x, f"{name}.value_gate", width, 2 * width)
        value, gate = ops.split(value_gate, _whole(-1), 2).outputs()
        weight = self._tensors.take(f"{name}.mix.weight", width, 1, 2 * reach + 1)
        bias = self._tensors.take(f"{name}.mix.bias", width)
        mixed = ops.group_convolution(
            _turned(value), _number(weight[:, None]), [1], [0], [0], [1]
        ) + _number(bias[:, None])
        gated = ops.multiply(_turned(mixed), ops.swish(_inside(gate, reach, 1)))
        return self._linear(gated, f"{name}.out", width, width)

    def _feed_forward(self, x: Node, name: str) -> Node:
        width, hidden = self._widths[-1], self._shape.shape["hidden"]
        weights = self._tensors.take(f"{name}.w_in.weight", 2 * hidden, width)
        a, b = (ops.matmul(x, _number(half), False, True) for half in np.split(weights, 2))
        return self._linear(ops.multiply(ops.swish(a), b), f"{name}.w_out", hidden, width)

    def _experts(self, x: Node, name: str) -> Node:
        """Tokens are gathered per expert, so that cost follows the gates.

        Those of an expert are filled up with a blank token behind the last one: each new shape
        leaves buffers behind in OpenVINO, so that there must be few.
        """
        shape, width = self._shape, self._widths[-1]
        experts, size = shape.experts, shape.shape["expert"]
        w_in = self._tensors.take(f"{name}.w_in", experts, width, 2 * size)
        w_out = self._tensors.take(f"{name}.w_out", experts, size, width)
        bias = self._tensors.take(f"{name}.clade_bias.weight", shape.clades, experts)[self._clade]
        x = ops.reshape(x, _whole([-1, width]), False)
        logits = self._linear(x, f"{name}.router", width, experts) + _number(bias)
        best = ops.topk(logits, _whole(shape.experts_per_token), -1, "max", "value")
        gates = ops.scatter_elements_update(
            ops.multiply(logits, _number(0)),
            best.output(1),
            ops.softmax(best.output(0), -1),
            _whole(1),
        )
        blank = _rows(ops.shape_of(x, "i32"), _whole(0))
        x, gates = _with_blank(x, width), _with_blank(gates, experts)
        out = ops.broadcast(_number(0), ops.shape_of(x))
        for expert, own in enumerate(ops.split(gates, _whole(1), experts).outputs()):
            gate = ops.reshape(own, _whole([-1]), False)
            chosen = ops.reshape(ops.non_zero(gate, "i32"), _whole([-1]), False)
            chosen = _filled(chosen, blank)
            given = _rows(x, chosen)
            a, b = (
                ops.matmul(given, _number(half), False, False)
                for half in np.split(w_in[expert], 2, axis=1)
            )
            hidden = ops.multiply(ops.multiply(ops.swish(a), b), _rows(own, chosen))
            part = ops.matmul(hidden, _number(w_out[expert]), False, False) + _rows(out, chosen)
            out = ops.scatter_nd_update(out, ops.unsqueeze(chosen, _whole([1])), part)
        return ops.unsqueeze(_between(out, 0, -1, 0), _whole([0]))


def _input(shape: list[int], kind: Type = Type.f32) -> Node:
    return ops.parameter(shape, kind)


def _number(value: np.ndarray | float) -> Node:
    return ops.constant(np.asarray(value, dtype=np.float32))


def _whole(value: list[int] | np.ndarray | int) -> Node:
    return ops.constant(np.asarray(value, dtype=np.int64))


def _turned(x: Node) -> Node:
    """[1, A, B] to [1, B, A]."""
    return ops.transpose(x, _whole([0, 2, 1]))


def _between(x: Node, start: int, stop: int, axis: int, step: int = 1) -> Node:
    return ops.slice(x, _whole([start]), _whole([stop]), _whole([step]), _whole([axis]))


def _inside(x: Node, edge: int, axis: int) -> Node:
    """Without `edge` positions at either end."""
    return _between(x, edge, -edge, axis) if edge else x


def _rows(x: Node, numbers: Node) -> Node:
    return ops.gather(x, numbers, _whole(0))


def _with_blank(x: Node, width: int) -> Node:
    """[N, width] with a row of zeros behind it."""
    return ops.concat([x, _number(np.zeros((1, width)))], 0)


def _filled(numbers: Node, blank: Node) -> Node:
    """[K] filled up with the number `blank` to a multiple of _ROWS."""
    missing = ops.floor_mod(ops.negative(ops.shape_of(numbers)), _whole(_ROWS))
    return ops.pad(numbers, _whole([0]), missing, "constant", blank)


def _scaled(x: Node, axis: int) -> Node:
    """RMS norm over an axis, without weights."""
    square = ops.reduce_mean(ops.multiply(x, x), _whole([axis]), True)
    return ops.multiply(x, ops.power(square + _number(1e-6), _number(-0.5)))


def _neighbours(x: Node) -> Node:
    """Of blocks [N, W, H, D] each but the outer ones with those beside it; [N - 2, 3W, H, D]."""
    parts = [_between(x, i, i - 2 if i < 2 else _END, 0) for i in range(3)]
    return ops.concat(parts, 1)


def _alibi(heads: int, window: int) -> np.ndarray:
    """Bias of each pair of query and key, by distance; float64 [1, H, W, 3W]."""
    distance = np.abs(np.arange(window)[:, None] + window - np.arange(3 * window))
    slopes = 2.0 ** (-8 * np.arange(1, heads + 1) / heads)
    return np.where(distance > window, _NEVER, -slopes[:, None, None] * distance)[None]
