"""Reading block profiles; what is refused was measured with AUGUSTUS 3.5.0.

python -m pytest tests/io/test_protein_profile.py
"""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from augustus_dl.errors import InputError
from augustus_dl.io.protein_profile import find_protein_profile, read_protein_profile
from augustus_dl.protein_profile import ProfileOptions, ProteinProfile

LETTERS = "GDERKNQSTAVLIFYWHMCP"
USUAL = ProfileOptions()
DATA = Path(__file__).resolve().parents[1] / "data" / "augustus"


def columns(consensus: str, share: float = 0.81) -> list[str]:
    """Lines of a block; a blank is a column without a preference."""
    rest = (1 - share) / (len(LETTERS) - 1)
    lines = []
    for number, letter in enumerate(consensus):
        shares = [0.05 if letter == " " else share if a == letter else rest for a in LETTERS]
        lines.append("\t".join([str(number), *(f"{value:.5f}" for value in shares)]))
    return lines


def block(name: str, consensus: str) -> str:
    return "\n".join(["[block]", f"name={name}", *columns(consensus)])


A, B, WEAK = block("f_A", "MKWHDE"), block("f_B", "WWWCCCHH"), block("f_W", " " * 7)


def read(folder: Path, *parts: str, options: ProfileOptions = USUAL) -> ProteinProfile | None:
    path = folder / "kinases.v2.prfl"
    path.write_text("\n\n".join(parts) + "\n")
    return read_protein_profile(path, options)


def test_a_profile(tmp_path: Path) -> None:
    profile = read(tmp_path, "[name]\nfamily", "[dist]\n# comment\n20\t111", A, "[dist]\n2 *", B)
    assert profile.name == "family"
    assert [(block.name, block.width) for block in profile.blocks] == [("f_A", 6), ("f_B", 8)]
    assert [tuple(distance) for distance in profile.distances] == [(19, 117), (2, None), (0, None)]
    assert profile.notation == "--[19..117]--> f_A (6) <--[2,...]--> f_B (8) <----"


def test_names_that_are_not_given(tmp_path: Path) -> None:
    unnamed = A.replace("name=f_A\n", "")
    profile = read(tmp_path, *([unnamed] * 28))
    assert profile.name == "kinases.v2"
    names = [block.name for block in profile.blocks]
    assert names[:2] + names[25:] == ["block_A", "block_B", "block_Z", "block_AA", "block_AB"]


@pytest.mark.parametrize(
    ("before", "behind", "expected"),
    [
        ("[dist]\n10 20", "[dist]\n100 200", (111, 238)),  # 117..227 with tolerance
        ("[dist]\n10 20", "", (16, None)),
        ("[dist]\n10 *", "[dist]\n1 2", (17, None)),
        ("[dist]\n0 0", "[dist]\n0 31200", (7, None)),
        ("[dist]\n0 0", "[dist]\n0 31199", (7, 32766)),
    ],
)
def test_blocks_that_are_not_significant_become_distance(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    before: str,
    behind: str,
    expected: tuple[int, int | None],
) -> None:
    profile = read(tmp_path, A, before, WEAK, behind, B)
    assert [block.name for block in profile.blocks] == ["f_A", "f_B"]
    assert tuple(profile.distances[1]) == expected
    assert caplog.messages == [
        "Warning: Block no.f_W is not significant enough, removed from profile."
    ]


def test_blocks_of_less_than_six_columns_are_never_significant(tmp_path: Path) -> None:
    profile = read(tmp_path, A, block("f_C", "WWWWW"))
    assert profile.notation == "----> f_A (6) <--[5,...]--"


@pytest.mark.parametrize("parts", [(), ("",), (WEAK,), ("[name]\nf", "[dist]\n1 2"), ("[block]",)])
def test_a_profile_without_usable_blocks_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, parts: tuple[str, ...]
) -> None:
    assert read(tmp_path, *parts) is None
    assert "No usable blocks found in file" in caplog.text
    assert "Not using protein profile." in caplog.text


def test_a_profile_without_a_clear_block_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lenient = ProfileOptions(block_spec=-5)
    assert read(tmp_path, WEAK, options=lenient) is None
    assert "At least 1 highly significant block is required" in caplog.text
    both = read(tmp_path, WEAK, block("f_D", "WWWCCCHHMM"), options=lenient)
    assert [block.name for block in both.blocks] == ["f_W", "f_D"]


def test_parts_that_augustus_passes_over(tmp_path: Path) -> None:
    introns = "[intron profile]\n3 1 0.5"
    more = A.replace("\n0\t", "\n\t0\t", 1) + "\tmore"
    plain = read(tmp_path, "[name]\nf", A, B)
    other = read(tmp_path, "# f\r", "[name]\nf  # of", more, introns, B)
    assert (other.name, other.notation) == (plain.name, plain.notation)
    assert all(
        (ours.scores == theirs.scores).all()
        for ours, theirs in zip(other.blocks, plain.blocks, strict=True)
    )


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("hello\n[block]", 1, "no section has begun"),
        ("[name]\nf\n[dist]\n1\n", 4, "a distance is"),
        ("[dist]\n[block]", 1, "a distance is"),
        ("[dist]\n1 2 3\n", 2, "a distance is"),
        ("[dist]\n-1 3\n", 2, "negative"),
        ("[dist]\n\n4 3\n", 3, "least is above"),
        ("[block]\n" + columns("AC")[1], 2, "a column is its number, here 0"),
        ("[block]\n" + columns("A")[0] + "\n" + columns("A")[0], 3, "here 1"),
        ("[block]\n0 0.5 0.5", 2, "and 20 numbers"),
        ("[block]\n0" + " x" * 20, 2, "and 20 numbers"),
        ("[block]\n0" + " 0" * 20, 2, "above 0"),
        ("[block]\n0 -1" + " 1" * 19, 2, "negative"),
        ("[block]\n0 nan" + " 1" * 19, 2, "above 0"),
        ("[block]\n0 inf" + " 1" * 19, 2, "above 0"),
        ("[block]\n[foo]\n1\n", 2, "[foo] is not expected here"),
        ("[dist]\n1 2\n[name]\nf\n", 3, "[name] is not expected here"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, line: int, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert message.startswith("PP::Profile: Error parsing pattern file")
    assert f"line {line}. " in message and reason in message


def test_finding_the_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'^PP::Profile: Could not open file "no\.prfl"\.$'):
        find_protein_profile("no.prfl")
    (tmp_path / "no.prfl").write_text(A)
    assert find_protein_profile("no.prfl", tmp_path) == tmp_path / "no.prfl"


def test_compressed_profiles(tmp_path: Path) -> None:
    path = tmp_path / "f.prfl"
    path.write_bytes(gzip.compress((DATA / "HS04636.prfl").read_bytes()))
    plain = read_protein_profile(DATA / "HS04636.prfl")
    assert read_protein_profile(path).notation == plain.notation


def test_the_preamble_of_augustus(caplog: pytest.LogCaptureFixture) -> None:
    for profile, run in (("HS04636", "profile.gtf"), ("HS08198", "profile.gff3")):
        found = read_protein_profile(DATA / f"{profile}.prfl")
        text = (DATA / run).read_text()
        assert f"# Using protein profile {found.name}\n# {found.notation}\n" in text
    assert {record.getMessage() for record in caplog.records} == {
        "Warning: Block no.block_B is not significant enough, removed from profile."
    }
