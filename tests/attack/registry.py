"""All lines of `make attack`. To add some, put them into the tuple of a module, and a new module here."""

from attack import announced, bodies, dense, media, subtitles, texts

LINES = (*bodies.LINES, *texts.LINES, *media.LINES, *dense.LINES, *announced.LINES, *subtitles.LINES)
