"""What differs between two values, or two cells' outputs, as a person wants to know it."""
