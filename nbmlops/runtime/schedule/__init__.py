"""Which step runs when, in what process, and what came of it."""
