"""State that belongs to no name, as it passes from step to step."""
