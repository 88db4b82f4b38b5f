"""Tests in the engines themselves are collected only where their environments are: `make test-targets` makes them."""

from __future__ import annotations

import os

_NEEDING = ["test_dask.py", "test_dvc.py", "test_engines.py", "test_pandas2.py", "test_s3.py"]
collect_ignore = [] if os.environ.get("NBMLOPS_TARGETS") else _NEEDING
