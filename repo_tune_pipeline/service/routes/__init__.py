"""The endpoints, a module each kind."""
