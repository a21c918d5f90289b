"""A real Superset takes minutes and 740 MB: it is no part of `make test`, and `make superset-check` asks for it."""

import os

collect_ignore_glob = [] if os.environ.get("WAREHOUSE_SUPERSET") else ["test_*.py"]
