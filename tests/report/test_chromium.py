"""The page in a real browser: it renders, and neither complains nor asks for anything.

python -m pytest tests/report/test_chromium.py
"""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from augustus_dl.genetic_code import genetic_code
from augustus_dl.io.annotation import read_annotation
from augustus_dl.report.page import page
from augustus_dl.report.survey import Tracks, survey

SWITCHES = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--enable-logging=stderr", "--host-resolver-rules=MAP * ~NOTFOUND", "--hide-scrollbars"),
)
CONSOLE = re.compile(r"INFO:CONSOLE[^\]]*\] (.*)")


@pytest.fixture(scope="module")
def chromium() -> str:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed")
    return program


@pytest.fixture
def file(folder: Path) -> Path:
    """A page with everything but probabilities."""
    predictions = {
        name: read_annotation(folder / f"{name}.gff3").genes for name in ("prediction", "other")
    }
    tracks = Tracks(predictions, read_annotation(folder / "reference.gff3"))
    code = genetic_code(1)
    path = folder / "page.html"
    text = page(survey(folder / "genome.fa", tracks, code), tracks, code)
    path.write_text(text, encoding="utf-8")
    return path


def browse(program: str, file: Path, *switches: str) -> tuple[str, list[str]]:
    """What the browser prints, and messages of its console."""
    profile = file.with_name("browser")
    command = [program, *SWITCHES, f"--user-data-dir={profile}", *switches, file.as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    return done.stdout.decode(), CONSOLE.findall(done.stderr.decode(errors="replace"))


def test_the_page_renders_without_complaint(chromium: str, file: Path) -> None:
    dom, messages = browse(chromium, file, "--dump-dom")
    assert messages == []
    text = html.unescape(re.sub(r"<[^>]*>", " ", dom))
    for heading in ("Genes of prediction", "Splice sites", "Gene density", "Accuracy", "Loci"):
        assert heading in text
    assert "exact: all coding exons right" in text and "33.3 %" in text
    assert dom.count("<svg") == file.read_text(encoding="utf-8").count("<svg")


def test_a_request_would_be_seen(chromium: str, file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("<main>", '<main><img src="http://example.org/x.png">'))
    _, messages = browse(chromium, file, "--dump-dom")
    assert any("example.org" in message for message in messages)


@pytest.mark.parametrize(("scheme", "paper"), [("1", (255, 255, 255)), ("0", (20, 24, 29))])
def test_light_and_dark(chromium: str, file: Path, scheme: str, paper: tuple[int, ...]) -> None:
    from matplotlib.image import imread

    shot = file.with_name("shot.png")
    switches = (f"--screenshot={shot}", "--window-size=1200,3000")
    browse(chromium, file, *switches, f"--blink-settings=preferredColorScheme={scheme}")
    pixels = (imread(shot)[:, :, :3] * 255).round().astype(int)
    assert tuple(pixels[5, 5]) == paper
    ink = abs(pixels - pixels[5, 5]).sum(axis=2) > 300
    assert 0.005 < ink.mean() < 0.2
