"""What is known of a notebook's run at a moment of its life, for whoever shows it."""

from __future__ import annotations

from nbmlops.app.show.views import SessionStatus, StatusView

STARTED = StatusView(
    status=SessionStatus.RUNNING,
    run_id="0123456789abcdef",
    run_name="flights",
    experiment="demo",
    tracking_uri="sqlite:///mlflow.db",
    notebook="flights.ipynb",
    git_commit=f"{'c' * 40}-dirty",
)
"""A run that has logged nothing yet."""
