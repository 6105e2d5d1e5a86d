"""The decoder's settings."""

import json

import pytest

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.errors import OptionError


def test_dictionary_round_trip():
    config = DecoderConfig(gene_start=-3.5, intron=1, atac=True, min_intron=39, strand="forward")
    assert DecoderConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert DecoderConfig.from_dict({}) == DecoderConfig()
    config = DecoderConfig(sense_stops=("TGA", "TAG"), intronless=True, max_overlap=60)
    assert DecoderConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_the_code_in_use():
    assert DecoderConfig(genetic_code=6).code().stops == {"TGA"}
    assert DecoderConfig(sense_stops=("TGA",)).code().stops == {"TAA", "TAG"}


def test_strands_that_are_searched_apart():
    usual = DecoderConfig()
    assert usual.tracks() == [usual]
    forward, backward = DecoderConfig(singlestrand=True, atac=True).tracks()
    assert (forward.strand, backward.strand) == ("forward", "backward")
    assert forward.atac and backward.atac
    bacterial = DecoderConfig(intronless=True, max_overlap=60)
    assert [track.strand for track in bacterial.tracks()] == ["forward", "backward"]
    for config in (forward, DecoderConfig(strand="backward", intronless=True, max_overlap=4)):
        assert config.tracks() == [config]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_introns": 4}, "unknown decoder setting min_introns"),
        ({"min_intron": 3}, "must be >= 4"),
        ({"min_intron": 20.0}, "min_intron is 20.0, not int"),
        ({"gene_start": "1"}, "gene_start is '1', not float"),
        ({"gene_start": float("nan")}, "finite"),
        ({"posterior_scale": 0.0}, "must be above 0"),
        ({"posterior_scale": float("nan")}, "must be above 0"),
        ({"partial": 1}, "partial is 1, not bool"),
        ({"gene_count": "one"}, "use any, atleastone, exactlyone"),
        ({"max_overlap": -1}, "must be >= 0"),
        ({"max_overlap": 60}, "needs genes without introns"),
        ({"max_overlap": 60, "intronless": True, "gene_count": "exactlyone"}, "any number"),
        ({"sense_stops": "TGA"}, "sense_stops is 'TGA', not tuple"),
        ({"strand": "+"}, "use both, forward, backward"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(OptionError, match=message):
        DecoderConfig.from_dict(settings)
