"""`python -m ascnet_core VERB`."""

import sys

from ascnet_core.cli import main

sys.exit(main())
