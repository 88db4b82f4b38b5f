"""Values without pipelines: fingerprints, schemas, profiles, comparisons, predictions, versions."""
