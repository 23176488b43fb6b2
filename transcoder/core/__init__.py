"""The pure middle: values in, values out. No async, clock, environment, socket or log."""
