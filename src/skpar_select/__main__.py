"""``python -m skpar_select`` is the command line."""

import sys

from skpar_select.cli import main

if __name__ == "__main__":
    sys.exit(main())
