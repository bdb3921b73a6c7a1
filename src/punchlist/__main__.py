"""`python -m punchlist` is `punchlist`."""

import sys

from punchlist.cli.main import main

sys.exit(main())
