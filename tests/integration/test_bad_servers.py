"""Servers that answer, but not as a tracking server does: each is named, none is asked without end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from nbmlops.core.errors import EnvironmentFault, StoreAway
from nbmlops.tracking.mlflow_tracker import MlflowTracker
from nbmlops.tracking.tracker import RunStart

Answers = Callable[[int, str], tuple[str, list[str]]]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    """Starts a server that is in good health and answers every call so; gives its address and the calls it gets."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0")
    started: list[ThreadingHTTPServer] = []

    def start(status: int, body: str) -> tuple[str, list[str]]:
        calls: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                healthy = self.path.endswith("/health")
                if not healthy:
                    calls.append(self.path)
                    if not status:
                        self.close_connection = True
                        return
                self.send_response(200 if healthy else status)
                self.end_headers()
                self.wfile.write(b"OK" if healthy else body.encode())

            do_GET = do_POST = _answer  # noqa: N815 - the names that the library asks for

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        started.append(server)
        return f"http://ada:s3cret@127.0.0.1:{server.server_port}", calls

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "calls"),
    [
        (200, "<html><body>Please log in</body></html>", 1),
        (429, "slow down", 2),
        (500, "boom", 2),
        (503, "", 2),
        (0, "", 2),
    ],
    ids=["HTML", "429", "500", "503", "reset"],
)
def test_what_is_no_answer_is_a_store_that_is_away(
    status: int, body: str, calls: int, answers: Answers, tmp_path: Path
) -> None:
    uri, seen = answers(status, body)
    with pytest.raises(StoreAway) as caught:
        MlflowTracker(uri, tmp_path).start_run(RunStart("demo"))
    assert "s3cret" not in str(caught.value)
    assert uri.replace("ada:s3cret@", "") in caught.value.message
    assert len(seen) == calls


@pytest.mark.parametrize("status", [401, 403])
def test_who_is_refused_is_told_once_and_the_password_is_not(status: int, answers: Answers, tmp_path: Path) -> None:
    code = "UNAUTHENTICATED" if status == 401 else "PERMISSION_DENIED"
    uri, seen = answers(status, f'{{"error_code": "{code}", "message": "no"}}')
    with pytest.raises(EnvironmentFault) as caught:
        MlflowTracker(uri, tmp_path).start_run(RunStart("demo"))
    assert "refuses access" in caught.value.message
    assert "MLFLOW_TRACKING_USERNAME" in caught.value.hint
    assert "s3cret" not in str(caught.value)
    assert len(seen) == 1
