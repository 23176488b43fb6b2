"""The grammar of MP4: every box that this project reads or writes, and nothing about what it means for a source or an output.

ISO/IEC 14496-12. Each module holds one family of boxes, its reader beside its writer. Bytes that break the grammar raise `Mp4Error`; the
caller knows whose bytes they are, and turns it into "the source is damaged" or "ffmpeg's output is broken".
"""
