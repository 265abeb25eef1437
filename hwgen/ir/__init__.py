"""The graphs a network becomes: real-valued as trained, then integers only."""
