"""Which version of a file this is, and versions kept as DVC keeps them."""
