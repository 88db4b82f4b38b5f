"""Values without pipelines: canonical fingerprints, schemas, profiles."""
