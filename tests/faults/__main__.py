"""``python -m tests.faults``: the attacks from the command line."""

import sys
from pathlib import Path

# The tests' own folder is where the tests import from, too.
sys.path.insert(0, str(Path(__file__).parents[1]))

from faults.command import main

if __name__ == "__main__":
    sys.exit(main())
