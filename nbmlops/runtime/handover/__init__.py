"""Values as they pass from step to step: stored, restored, with everything that they share."""
