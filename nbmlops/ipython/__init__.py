"""The `%mlops` magics and the panel: translate lines into API calls and render the results."""
