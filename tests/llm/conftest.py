"""One thread for numpy: two on a busy small machine are many times slower. Works if numpy is not loaded yet."""

from __future__ import annotations

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
