"""Tests that drive a browser: `make test-ui`. They skip, with the reason, where something is not installed."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "ui: drives JupyterLab with a headless Chromium")
