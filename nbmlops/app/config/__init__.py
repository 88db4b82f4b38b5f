"""The settings of a project: read, checked, lowered to the records of the rooms below."""
