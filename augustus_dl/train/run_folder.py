"""A run folder: what describes a training run, lets it resume, and is its product.

Every file appears whole or not at all (written beside its place, then renamed).
"""

from __future__ import annotations

import copy
import json
import os
import tempfile
from pathlib import Path

import torch

from augustus_dl.errors import TrainingError
from augustus_dl.io.files import whole_file
from augustus_dl.network.model import AnnotationModel, quiet_transformers
from augustus_dl.profile_files import write_profile
from augustus_dl.tokenizer import save as save_tokenizer
from augustus_dl.train.config import TrainConfig

__all__ = ["RunFolder", "write_model"]


class RunFolder:
    """Reads and writes one run folder.

    Raises:
        TrainingError: the folder was made with other settings.
    """

    def __init__(self, folder: Path, config: TrainConfig):
        self.folder, self.config = folder, config
        folder.mkdir(parents=True, exist_ok=True)
        described = folder / "train.json"
        if described.exists() and json.loads(described.read_text()) != config.to_dict():
            raise TrainingError(f"{folder} holds a run with other settings; use a new folder")
        with whole_file(described) as path:
            path.write_text(json.dumps(config.to_dict(), indent=1))

    def log(self, **record) -> None:
        """Append one record to log.jsonl."""
        with (self.folder / "log.jsonl").open("a") as file:
            file.write(json.dumps(record) + "\n")

    def records(self) -> list[dict]:
        """All records logged so far."""
        path = self.folder / "log.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def save_state(self, **state) -> None:
        """Save everything a resumed run needs."""
        with whole_file(self.folder / "state.pt") as path:
            torch.save(state, path)

    def load_state(self, device: torch.device) -> dict | None:
        """The last saved state, or None for a new run."""
        path = self.folder / "state.pt"
        return torch.load(path, map_location=device, weights_only=True) if path.exists() else None

    def keep(self, model: AnnotationModel, gene_f1: dict[str, float]) -> None:
        """Make the folder's profile of this model."""
        write_model(model, self.folder)
        write_profile(
            self.folder,
            name=self.config.species,
            clade=self.config.clade,
            decoder={},
            status="trained on this species",
            beats_augustus=False,
            scores={f"validation_gene_f1_{clade}": f1 for clade, f1 in gene_f1.items()},
        )

    def plot(self) -> None:
        """Loss and validation F1 against training bases, as curves.png."""
        from matplotlib.figure import Figure

        per_step = self.config.windows * self.config.length / 1e6
        records = self.records()
        figure = Figure(figsize=(9, 3.5), layout="constrained")
        left, right = figure.subplots(1, 2)
        losses = [(r["step"] * per_step, r["loss"]) for r in records if "loss" in r]
        if losses:
            left.plot(*zip(*losses, strict=True), lw=1)
        left.set(xlabel="training bases (Mb)", ylabel="loss", yscale="log")
        scored = [r for r in records if "validation" in r]
        steps = [r["step"] * per_step for r in scored]
        for clade in scored[0]["validation"] if scored else ():
            for level, style in (("gene", "o-"), ("exon", "s--")):
                values = [100 * r["validation"][clade][level]["f1"] for r in scored]
                right.plot(steps, values, style, ms=3, label=f"{clade} {level}")
        right.set(xlabel="training bases (Mb)", ylabel="validation F1 (%)", ylim=(0, 100))
        right.legend(fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
        with whole_file(self.folder / "curves.png") as path:
            figure.savefig(path, dpi=100)


def write_model(model: AnnotationModel, folder: Path) -> None:
    """Write config.json, model.safetensors (float16) and tokenizer.json into a folder."""
    half = copy.deepcopy(model).to(torch.float16)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        with quiet_transformers():
            half.save_pretrained(scratch)
        save_tokenizer(folder)
        for name in ("config.json", "model.safetensors"):
            (Path(scratch) / name).chmod(0o644)
            os.replace(Path(scratch) / name, folder / name)
