"""The panel of a notebook's run: its state as one record, and three ways to show that."""
