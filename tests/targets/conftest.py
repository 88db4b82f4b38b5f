"""Tests in the engines themselves are collected only where their environments are: `make test-targets` makes them."""

from __future__ import annotations

import os

collect_ignore = (
    [] if os.environ.get("NBMLOPS_TARGETS") else ["test_dask.py", "test_dvc.py", "test_engines.py", "test_s3.py"]
)
