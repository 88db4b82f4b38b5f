"""What a run was: the tracker protocol, its MLflow adapter, environment and git facts."""
