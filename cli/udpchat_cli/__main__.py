"""The command as `python -m udpchat_cli`."""

import sys

from . import main

sys.exit(main())
