"""All lines of `make attack`. To add some, put them into the tuple of a module, and a new module here."""

from attack import announced, bodies, dense, media, renditions, subtitles, texts

LINES = (*bodies.LINES, *texts.LINES, *media.LINES, *dense.LINES, *announced.LINES, *renditions.LINES, *subtitles.LINES)
