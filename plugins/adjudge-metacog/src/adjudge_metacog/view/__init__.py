"""The rule graph as a picture that a browser shows from one file."""
