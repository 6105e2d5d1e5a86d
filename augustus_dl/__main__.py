"""`python -m augustus_dl`: the command `augustus-dl`."""

import sys

from augustus_dl.cli import main

sys.exit(main())
