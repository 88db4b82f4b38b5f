"""May this model pass? Pure: (metrics, baseline, policy) -> `Verdict`."""
