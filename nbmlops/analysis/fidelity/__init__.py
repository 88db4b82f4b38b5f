"""What a step may see of where and how it runs: such steps run as the notebook's cells."""
