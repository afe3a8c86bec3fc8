"""Core's own plugin: built-ins register through the same hooks as everyone else's."""
