"""Hours of ordinary life are no part of `make test`: `make soak` asks for them."""

import os

collect_ignore_glob = [] if os.environ.get("WAREHOUSE_SOAK_RUNS") else ["test_*.py"]
