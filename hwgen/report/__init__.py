"""Tables a person reads."""
