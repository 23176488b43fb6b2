"""The grammar of the ISO base media file format (ISO/IEC 14496-12): each box is read and written here, and nowhere else."""
