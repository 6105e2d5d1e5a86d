"""The network: its reach, its shapes, and every way a model folder can be damaged.

python -m pytest tests/network/test_model.py
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from augustus_dl.errors import ModelError
from augustus_dl.kernels.testing import relative_error
from augustus_dl.labels import NUM_LABELS, NUM_UTR_LABELS
from augustus_dl.network.config import CLADES, SIZES, NetworkConfig
from augustus_dl.network.layers import kmer_index
from augustus_dl.network.model import AnnotationModel, load_model

ROOT = Path(__file__).resolve().parents[2]
LENGTH = 4096


def network(**options: object) -> AnnotationModel:
    torch.manual_seed(0)
    return AnnotationModel(NetworkConfig(**{"size": "tiny", "window": 2, **options})).eval()


def bases(length: int = LENGTH) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 4, (1, length), dtype=torch.uint8, generator=generator)


def scores(model: AnnotationModel, codes: torch.Tensor, masked=None, clade: int = 0):
    masked = torch.zeros_like(codes) if masked is None else masked
    with torch.inference_mode():
        return model(codes, masked, torch.full((len(codes),), clade)).logits_BKL


@pytest.mark.parametrize("size", SIZES)
def test_networks_are_small(size: str) -> None:
    with torch.device("meta"):
        model = AnnotationModel(NetworkConfig(size=size))
    parameters = sum(p.numel() for p in model.parameters())
    assert 1e6 < parameters < 7.5e6
    assert len(model.config.expert_layers) == 2


@pytest.mark.parametrize("moe", [True, False])
def test_output_and_gradients(moe: bool) -> None:
    model = network(moe=moe).train()
    masked, clade = torch.zeros(2, 256, dtype=torch.bool), torch.tensor([0, 3])
    out = model(bases(256).repeat(2, 1), masked, clade, utr=True)
    assert out.logits_BKL.shape == (2, NUM_LABELS, 256)
    assert out.utr_BKL.shape == (2, NUM_UTR_LABELS, 256)
    assert bool(out.router_loss > 0) is moe
    (out.logits_BKL.square().mean() + out.utr_BKL.square().mean() + out.router_loss).backward()
    without = [name for name, p in model.named_parameters() if p.grad is None]
    assert without == []
    assert all(p.grad.isfinite().all() for p in model.parameters())
    kinds = {type(block.feed_forward).__name__ for block in model.trunk}
    assert kinds == ({"SwiGLU", "Experts"} if moe else {"SwiGLU"})


def test_recomputing_changes_nothing() -> None:
    found = []
    for on in (False, True):
        model = network().train()
        model.set_recomputing(on)
        masked, clade = torch.zeros(2, 256, dtype=torch.bool), torch.tensor([0, 3])
        out = model(bases(256).repeat(2, 1), masked, clade)
        (out.logits_BKL.square().mean() + out.router_loss).backward()
        found.append([out.logits_BKL, *(p.grad for p in model.parameters() if p.grad is not None)])
    for remembered, computed_again in zip(*found, strict=True):
        torch.testing.assert_close(remembered, computed_again)


@pytest.mark.parametrize("options", [{"mixer": "convolution"}, {"skips": False}])
def test_networks_of_other_shapes(options: dict) -> None:
    """They differ from the usual one, learn in all their parts, and reach no further."""
    model, usual = network(**options).train(), network()
    length = 2 * model.config.flank + 32
    masked, clade = torch.zeros(1, length, dtype=torch.bool), torch.tensor([1])
    out = model(bases(length), masked, clade, utr=True)
    (out.logits_BKL.square().mean() + out.utr_BKL.square().mean() + out.router_loss).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []
    changed = bases(length)
    changed[0, 0] ^= 1
    assert not torch.equal(out.logits_BKL, usual(bases(length), masked, clade).logits_BKL)
    difference = (model(changed, masked, clade).logits_BKL - out.logits_BKL).abs().amax((0, 1))
    assert difference[0] > 0 and difference[model.config.flank + 32 :].max() < 1e-4


def test_scores_do_not_depend_on_the_utr_head() -> None:
    model, codes = network(), bases(256)
    masked, clade = torch.zeros_like(codes), torch.zeros(1, dtype=torch.long)
    with torch.inference_mode():
        plain, both = model(codes, masked, clade), model(codes, masked, clade, utr=True)
    assert plain.utr_BKL is None
    assert torch.equal(plain.logits_BKL, both.logits_BKL)
    bare = network(utr=False)
    assert bare.load_state_dict(model.state_dict(), strict=False).missing_keys == []
    assert torch.equal(scores(bare, codes), plain.logits_BKL)


@pytest.mark.parametrize("size", SIZES)
def test_no_gradient_reaches_further_than_the_flank(size: str) -> None:
    """Exact: an input out of reach has slope zero. All 32 places within a token are tried."""
    model = network(size=size).double()
    flank, trunk = model.config.flank, 2 * model.config.shape["layers"] * 32
    kept: list[torch.Tensor] = []

    def keep(module: nn.Module, args: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        kept.append(args[0].detach().requires_grad_())
        return (kept[0],)

    model.stem.conv.register_forward_pre_hook(keep)
    codes = bases(2 * flank // 32 * 32 + 1024)
    logits = model(codes, torch.zeros_like(codes), torch.zeros(1, dtype=torch.long)).logits_BKL
    reached = []
    for at in range(codes.shape[1] // 2, codes.shape[1] // 2 + 32):
        (grad,) = torch.autograd.grad(logits[0, :, at].sum(), kept[0], retain_graph=True)
        touched = grad[0].abs().sum(0).nonzero()
        reached += [at - int(touched.min()), int(touched.max()) - at]
    assert trunk < max(reached) <= flank
    assert max(reached) - trunk < 8 * 32  # the margin of `flank` for the convolutions is ample


@pytest.mark.parametrize("moe", [True, False])
def test_one_base_changes_no_score_out_of_reach(moe: bool) -> None:
    model = network(moe=moe)
    before = bases()
    after = before.clone()
    middle = LENGTH // 2
    after[0, middle] = 3 - after[0, middle]
    change = (scores(model, after) - scores(model, before)).abs().amax((0, 1))
    flank = model.config.flank
    assert change[middle - 2 : middle + 3].min() > 1e-3
    assert change[: middle - flank].max() < 1e-4
    assert change[middle + flank + 1 :].max() < 1e-4


def test_soft_mask_clade_and_n_matter() -> None:
    model = network()
    nn.init.normal_(model.clade.weight)
    codes = bases()
    plain = scores(model, codes)
    assert not torch.allclose(plain, scores(model, codes, torch.ones_like(codes)))
    assert not torch.allclose(plain, scores(model, codes, clade=CLADES.index("plants")))
    assert not torch.allclose(plain, scores(model, torch.full_like(codes, 4)))


def test_windows_of_a_batch_do_not_mix() -> None:
    model = network()
    codes = torch.cat([bases(1024), bases(1024).flip(1)])
    both = scores(model, codes)
    torch.testing.assert_close(both[:1], scores(model, codes[:1]), rtol=0, atol=1e-4)
    torch.testing.assert_close(both[1:], scores(model, codes[1:]), rtol=0, atol=1e-4)


def test_kmers_by_hand() -> None:
    """The 6-mer of a base begins two bases left of it; one with an N or an end has number 4096."""
    codes = torch.tensor([[0, 1, 2, 3, 0, 1, 2, 4]], dtype=torch.uint8)
    acgtac = int("012301", 4)
    cgtacg = int("123012", 4)
    assert kmer_index(codes).tolist() == [[4096, 4096, acgtac, cgtacg, 4096, 4096, 4096, 4096]]


@pytest.mark.parametrize(
    "options",
    [
        {"size": "huge"},
        {"clade": "dragons"},
        {"window": 0},
        {"window": "64"},
        {"clades": 0},
        {"clades": 10},
        {"clade": "prokaryotes", "clades": 8},
        {"mixer": "spoon"},
    ],
)
def test_impossible_configurations(options: dict) -> None:
    with pytest.raises(ValueError, match=str(next(iter(options.values())))):
        NetworkConfig(**options)


@pytest.mark.parametrize("moe", [True, False])
def test_a_model_folder_round_trip_is_bitwise(moe: bool, tmp_path: Path) -> None:
    model = network(moe=moe, clade="plants")
    nn.init.normal_(model.clade.weight)
    model.save_pretrained(tmp_path)
    for again in (load_model(tmp_path), AnnotationModel.from_pretrained(tmp_path)):
        assert again.config.to_diff_dict() == model.config.to_diff_dict()
        assert again.config.flank == model.config.flank and again.config.clade == "plants"
        assert again.state_dict().keys() == model.state_dict().keys()
        for name, tensor in model.state_dict().items():
            assert torch.equal(again.state_dict()[name], tensor), name
        assert torch.equal(scores(again.eval(), bases(512)), scores(model, bases(512)))
    assert not load_model(tmp_path).training


def test_a_folder_from_before_prokaryotes_and_utrs(tmp_path: Path) -> None:
    """Its config.json names neither: such folders, the shipped ones among them, stay readable."""
    old = network(clade="plants", clades=8, utr=False)
    old.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["clades"], config["utr"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    again = load_model(tmp_path)
    assert (again.config.clades, again.config.utr) == (8, False)
    assert again.config.known_clades == CLADES[:8] and "prokaryotes" not in CLADES[:8]
    assert torch.equal(scores(again, bases(512)), scores(old, bases(512)))


def test_half_precision_weights_are_read_as_float32(tmp_path: Path) -> None:
    network().half().save_pretrained(tmp_path)
    model = load_model(tmp_path)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert torch.equal(model.head[1].weight, network().head[1].weight.half().float())


@pytest.fixture
def folder(toy_folder: Path, tmp_path: Path) -> Path:
    """A copy of a model folder, to be damaged."""
    return Path(shutil.copytree(toy_folder, tmp_path / "model"))


def edit_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def edit_weights(folder: Path, drop: str = "", **changes: torch.Tensor) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path) | {name.replace("__", "."): t for name, t in changes.items()}
    weights.pop(drop, None)
    save_file(weights, path, metadata={"format": "pt"})


def truncate(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])


DAMAGE = {
    "no config": (lambda f: (f / "config.json").unlink(), "has no config.json"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "has no model.safetensors"),
    "no folder": (shutil.rmtree, "has no config.json"),
    "empty weights": (lambda f: truncate(f / "model.safetensors", 0), "corrupt"),
    "cut in the header": (lambda f: truncate(f / "model.safetensors", 1000), "corrupt"),
    "cut in the data": (lambda f: truncate(f / "model.safetensors", 1_000_000), "corrupt"),
    "not safetensors": (lambda f: (f / "model.safetensors").write_bytes(b"\x80" * 99), "corrupt"),
    "cut config": (lambda f: truncate(f / "config.json", 40), "corrupt.*JSON"),
    "config is a list": (lambda f: (f / "config.json").write_text("[]"), "corrupt"),
    "config is binary": (lambda f: (f / "config.json").write_bytes(b"\x00\xff"), "corrupt"),
    "unknown size": (lambda f: edit_config(f, size="huge"), "size 'huge' is none of tiny"),
    "other size": (lambda f: edit_config(f, size="small"), "does not fit its config.json"),
    "dense config": (lambda f: edit_config(f, moe=False), "does not fit.*trunk.1.feed_forward"),
    "another clade": (lambda f: edit_config(f, clades=8), r"does not fit.*clade"),
    "no UTR head": (lambda f: edit_config(f, utr=False), r"does not fit.*utr_head"),
    "other window": (lambda f: edit_config(f, window=0), "window 0"),
    "wrong shape": (
        lambda f: edit_weights(f, clade__weight=torch.zeros(3, 3)),
        r"does not fit.*clade\.weight",
    ),
    "missing tensor": (lambda f: edit_weights(f, drop="down4.bias"), r"does not fit.*down4\.bias"),
    "spare tensor": (lambda f: edit_weights(f, spare=torch.zeros(2)), "does not fit.*spare"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_folder_is_one_clear_line(
    damage: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    inflict, message = DAMAGE[damage]
    inflict(folder)
    with pytest.raises(ModelError, match=message) as caught:
        load_model(folder)
    assert str(folder) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert capfd.readouterr() == ("", "")


def test_loading_prints_nothing(toy_folder: Path) -> None:
    """In a process of its own: transformers writes to the terminal it finds when imported."""
    code = f"from augustus_dl.network.model import load_model; load_model({str(toy_folder)!r})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_nothing_in_a_folder_is_executed(folder: Path) -> None:
    mark = folder / "executed"
    (folder / "evil.py").write_text(f"open({str(mark)!r}, 'w')\nclass Evil: pass\n")
    edit_config(folder, auto_map={"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil"})
    load_model(folder)
    assert not mark.exists()


@pytest.mark.gpu
@pytest.mark.parametrize("moe", [True, False])
def test_scores_and_gradients_of_the_gpu_are_those_of_the_cpu(moe: bool) -> None:
    """In float32, by the fused kernels."""
    masked, clade = torch.zeros(2, LENGTH, dtype=torch.bool), torch.tensor([0, 3])
    codes = torch.randint(0, 4, (2, LENGTH), dtype=torch.uint8)
    found = []
    for device in ("cpu", "cuda"):
        model = network(moe=moe, window=16).to(device)
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            out = model(codes.to(device), masked.to(device), clade.to(device))
            (out.logits_BKL.square().mean() + out.router_loss).backward()
        gradients = [p.grad.cpu() for p in model.parameters() if p.grad is not None]
        found.append([out.logits_BKL.detach().cpu(), *gradients])
    for theirs, ours in zip(*found, strict=True):
        assert relative_error(ours, theirs) < 1e-3


@pytest.mark.gpu
def test_training_is_one_graph_on_the_gpu() -> None:
    model = network(window=16).train().cuda()
    codes = bases().cuda()
    arguments = codes, torch.zeros_like(codes), torch.zeros(1, dtype=torch.int64, device="cuda")
    plain = model(*arguments).logits_BKL.detach()
    compiled = torch.compile(model, fullgraph=True)
    with torch.autocast("cuda", torch.bfloat16):
        out = compiled(*arguments)
        loss = out.logits_BKL.float().square().mean() + out.router_loss
    loss.backward()
    assert relative_error(out.logits_BKL, plain) < 0.1
    for name, p in model.named_parameters():
        assert name.startswith("utr_head") or p.grad.isfinite().all()
