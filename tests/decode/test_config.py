"""The decoder's settings."""

import json

import pytest

from augustus_dl.decode.config import DecoderConfig
from augustus_dl.errors import OptionError


def test_dictionary_round_trip():
    config = DecoderConfig(gene_start=-3.5, intron=1, atac=True, min_intron=39, strand="forward")
    assert DecoderConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert DecoderConfig.from_dict({}) == DecoderConfig()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_introns": 4}, "unknown decoder setting min_introns"),
        ({"min_intron": 3}, "must be >= 4"),
        ({"min_intron": 20.0}, "min_intron is 20.0, not int"),
        ({"gene_start": "1"}, "gene_start is '1', not float"),
        ({"gene_start": float("nan")}, "finite"),
        ({"partial": 1}, "partial is 1, not bool"),
        ({"strand": "+"}, "use both, forward or backward"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(OptionError, match=message):
        DecoderConfig.from_dict(settings)
