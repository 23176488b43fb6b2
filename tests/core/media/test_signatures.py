"""Which files are media, by their first bytes."""

from pathlib import Path

import make_media
import pytest

from transcoder.core.media.signatures import audio_codec, is_media, is_transport_stream

TS_PACKET = b"\x47" + bytes(187)
ADTS = bytes.fromhex("fff15080017ffc") + bytes(20)

MEDIA = {
    "MP4": b"\0\0\0\x18ftypmp42",
    "an MP4 with its media first": b"\0\0\x10\0mdat",
    "AVIF": b"\0\0\0\x1cftypavif",
    "a segment": b"\0\0\0\x18styp",
    "WebM": b"\x1a\x45\xdf\xa3\x01",
    "Ogg": b"OggS\0\x02",
    "FLAC": b"fLaC\0\0\0\x22",
    "AVI": b"RIFF\x10\0\0\0AVI LIST",
    "WAV": b"RIFF\x10\0\0\0WAVEfmt ",
    "WebP": b"RIFF\x10\0\0\0WEBPVP8 ",
    "FLV": b"FLV\x01\x05\0\0\0\x09",
    "WMV": bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"),
    "AIFF": b"FORM\0\0\0\x10AIFFCOMM",
    "AMR": b"#!AMR\n\x3c",
    "MPEG program stream": b"\0\0\x01\xba\x44",
    "H.264": b"\0\0\0\x01\x67\x64",
    "a transport stream": TS_PACKET * 3,
    "a transport stream of a Blu-ray disc": (bytes(4) + TS_PACKET) * 3,
    "AAC": ADTS,
    "MP3": bytes.fromhex("fffb9064") + bytes(20),
    "AC-3": bytes.fromhex("0b77a2ba1c40e1dc") + bytes(20),
    "a long tag": b"ID3\x04\0\0\0\x7f\x7f\x7f" + bytes(500),
    "JPEG": b"\xff\xd8\xff\xe0\0\x10JFIF",
    "PNG": b"\x89PNG\r\n\x1a\n\0\0\0\x0d",
    "GIF": b"GIF89a\x01\0",
    "BMP": b"BM\x10\0\0\0\0\0\0\0\x36",
    "TIFF": b"II*\0\x08\0\0\0",
    "JPEG XL": b"\0\0\0\x0cJXL \r\n\x87\n",
}
OTHERS = {
    "a script": b"#!/bin/sh\n",
    "a script for Windows": b"@echo off\r\n",
    "a program": b"\x7fELF\x02\x01\x01",
    "a program for Windows": b"MZ\x90\0",
    "a program for macOS": b"\xcf\xfa\xed\xfe",
    "bytecode": b"\xca\xfe\xba\xbe",
    "an archive": b"PK\x03\x04",
    "another archive": b"\x1f\x8b\x08\0",
    "a document": b"%PDF-1.7",
    "an old document": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "a shortcut": b"L\0\0\0\x01\x14\x02\0",
    "SVG": b"<svg xmlns=",
    "a page": b"<!DOCTYPE html>",
    "subtitles": b"WEBVTT\n",
    "text in UTF-16": b"\xff\xfee\0c\0h\0o\0",
    "text that begins like a packet": b"Good morning" * 40,
    "text that begins like a bitmap": b"BM is short for bitmap",
    "text that begins like RIFF": b"RIFF is a format, WAVE another",
    "zeros": bytes(600),
    "nothing": b"",
}


@pytest.mark.parametrize("name", list(MEDIA))
def test_media_are_recognized(name: str) -> None:
    assert is_media(MEDIA[name])


@pytest.mark.parametrize("name", list(OTHERS))
def test_other_files_are_not(name: str) -> None:
    assert not is_media(OTHERS[name])


def test_only_packets_of_the_usual_size_are_a_segment() -> None:
    assert is_transport_stream(MEDIA["a transport stream"])
    assert not is_transport_stream(MEDIA["a transport stream of a Blu-ray disc"])


@pytest.mark.parametrize(("name", "codec"), [("AAC", "aac"), ("MP3", "mp3"), ("AC-3", "ac3"), ("a long tag", None), ("PNG", None)])
def test_the_codec_of_packed_audio(name: str, codec: str | None) -> None:
    assert audio_codec(MEDIA[name]) == codec


@pytest.mark.parametrize("name", ["ts-muxed", "packed-aac", "fmp4-muxed"])
def test_generated_segments_are_media(name: str) -> None:
    files = [path for path in make_media.media(name).iterdir() if path.suffix not in {".m3u8", ""}]
    assert files
    assert all(is_media(Path(path).read_bytes()[:512]) for path in files)
