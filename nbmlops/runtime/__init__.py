"""A compiled pipeline -> a run: plan, cache, artifact store, step notebooks executed by papermill."""
