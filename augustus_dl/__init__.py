"""augustus-dl: a deep-learning gene caller in AUGUSTUS's place.

Importing the package is cheap: no torch, no transformers. See README.md for the commands.
"""

from pathlib import Path

__version__ = "0.1.0"
AUGUSTUS_VERSION = "3.5.0"
"""The version whose interface is answered; clients demand at least 3.3.2."""

# In a checkout config/, kernels/ and species/ sit beside this package, not inside it (setup.py maps
# them in when installing); extending __path__ makes `augustus_dl.kernels` one module everywhere.
_here = Path(__file__).resolve().parent
if not (_here / "kernels").is_dir():
    __path__.append(str(_here.parent))
