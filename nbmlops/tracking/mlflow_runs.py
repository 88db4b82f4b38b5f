"""Looking runs and their documents up in an MLflow store; `mlflow_tracker` hands its client over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from nbmlops.core.diagnostics import Json
from nbmlops.tracking import lineage
from nbmlops.tracking.downloads import without_progress_bar
from nbmlops.tracking.keys import check_key, quoted
from nbmlops.tracking.tracker import RunQuery

_NEWEST = ["attributes.start_time DESC"]


def search_runs(client: Any, query: RunQuery) -> list[Any]:
    """Returns MLflow's runs that a query describes, newest first.

    Args:
        client: MLflow's client.
        query: What is looked for.

    Raises:
        UsageError: a tag has a name that MLflow refuses.
    """
    if query.experiments:
        known = [client.get_experiment_by_name(name) for name in query.experiments]
    else:
        known = list(client.search_experiments())
    experiments = [found.experiment_id for found in known if found is not None]
    if not experiments:
        return []
    found: list[Any] = []
    token: str | None = None
    while len(found) < query.most:
        page = client.search_runs(
            experiments, _conditions(query), max_results=query.most - len(found), order_by=_NEWEST, page_token=token
        )
        found += page
        token = page.token
        if not token:
            break
    return found


def _conditions(query: RunQuery) -> str:
    conditions = [f"tags.`{check_key('tag', name)}` = {quoted(value)}" for name, value in query.tags.items()]
    if query.commit:
        conditions.append(f"tags.`{lineage.GIT_COMMIT}` LIKE {quoted(query.commit + '%')}")
    if query.data:
        conditions.append(f"dataset.digest LIKE {quoted(query.data + '%')}")
    if query.beginning:
        conditions.append(f"attributes.run_id LIKE {quoted(query.beginning + '%')}")
    return " and ".join(conditions)


def read_document(client: Any, run_id: str, name: str) -> Mapping[str, Json] | None:
    """Returns a JSON document of a run's artifacts; None where there is none, or it is no JSON object.

    Args:
        client: MLflow's client.
        run_id: The run.
        name: Its path among the artifacts.
    """
    folder = PurePosixPath(name).parent.as_posix()
    listed = client.list_artifacts(run_id, None if folder == "." else folder)
    if name not in {entry.path for entry in listed}:
        return None
    with TemporaryDirectory(prefix="nbmlops-read-") as place, without_progress_bar():
        path = Path(client.download_artifacts(run_id, name, place))
        try:
            document = json.loads(path.read_bytes())
        except ValueError:  # somebody else's
            return None
    return document if isinstance(document, dict) else None
