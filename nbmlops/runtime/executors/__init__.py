"""Other places where steps are executed than the runner's own machine; the run that closes a pipeline stays there."""
