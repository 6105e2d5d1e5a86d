"""What the report on start-up is made of.

python -m pytest tests/benchmarks/test_startup.py
"""

from __future__ import annotations

from benchmarks.measure import Usage
from benchmarks.startup import summary, table


def test_other_work_does_not_count() -> None:
    usages = [Usage(2.0, 1.5, 300.0, 0), Usage(1.0, 1.6, 310.0, 0)]
    assert summary(usages) == Usage(1.0, 1.5, 310.0, 0)


def test_the_table_names_programs_and_stages() -> None:
    machine = {"cpu": "a processor", "cores": 2}
    text = table(
        {
            "rounds": 3,
            "programs": {"AUGUSTUS": {"cpu_s": 1.0, "wall_s": 1.25, "peak_mib": 32.4}},
            "stages": {"networks": [0.4, 131.6]},
            "provenance": {"commit": "abc", "date": "today", "machine": machine},
        }
    )
    assert "| AUGUSTUS | 1.00 | 1.25 | 32 |" in text
    assert "| &nbsp; networks | 0.40 | | +132 |" in text
    assert "Commit abc, today, a processor, 2 cores; fastest of 3 runs" in text
