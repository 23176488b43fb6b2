"""All lines of `make attack`. To add some, put them into the tuple of a module, and a new module here."""

from attack import bodies, media, texts

LINES = (*bodies.LINES, *texts.LINES, *media.LINES)
