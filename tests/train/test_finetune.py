"""Fine-tuning of a small random network on toy genes, from files to a profile.

python -m pytest tests/train/test_finetune.py
"""

from __future__ import annotations
