"""Pure functions and values: no async, clock, environment, socket or log."""
