"""What asv follows from commit to commit."""

import sys
from pathlib import Path

# asv imports this folder as a package, and it shares its columns with the scripts beside it
sys.path.append(str(Path(__file__).parents[1]))
