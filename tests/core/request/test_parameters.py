"""Tests the table of parameters."""

import re

import pytest

from transcoder.core.request.job import Job
from transcoder.core.request.output_format import AudioMode, Deliver, FileFormat, Layout, VideoMode
from transcoder.core.request.parameters import PARAMETERS, Parameter, make_job
from transcoder.errors import BadRequestError

URL = "https://a.example/v.m3u8"
VALUES: dict[str, tuple[str, object]] = {
    "height": ("720p", 720),
    "audio": (" de ", "de"),
    "format": ("M4A", FileFormat.M4A),
    "mute": ("1", True),
    "start": ("0:05", 5.0),
    "end": ("1:30", 90.0),
    "exact": ("1", True),
    "fit": ("8MB", 8_000_000),
    "video": ("h264", VideoMode.H264),
    "audio_codec": ("copy", AudioMode.COPY),
    "layout": ("plain", Layout.PLAIN),
    "deliver": ("s3", Deliver.S3),
    "embed_source": ("1", True),
    "item": ("2", 2),
    "filename": ("film", "film"),
    "page": ("see https://www.reddit.com/r/aww/comments/1/", "https://www.reddit.com/r/aww/comments/1/"),
}
"""A value of each parameter, and what the job has then."""
CHOICES = {"format": FileFormat, "video": VideoMode, "audio_codec": AudioMode, "layout": Layout, "deliver": Deliver}


def test_every_parameter_is_valid_in_a_query_and_on_a_command_line() -> None:
    names = [parameter.name for parameter in PARAMETERS]
    assert len(set(names)) == len(names)
    assert set(Job._fields) == {"url", *names}
    for parameter in PARAMETERS:
        assert re.fullmatch(r"[a-z_]+", parameter.name)
        assert " " in parameter.help, "the help says what it does"
        assert parameter.metavar is None or re.fullmatch(r"[A-Z]+|\{[a-z0-9,]+\}", parameter.metavar)


@pytest.mark.parametrize("name", [parameter.name for parameter in PARAMETERS])
def test_each_parameter_sets_its_own_member_of_the_job_and_no_other(name: str) -> None:
    text, value = VALUES[name]
    expected = Job(URL)._replace(**{name: value})  # type: ignore[arg-type]  # a member by name
    assert make_job(URL, {name: text}) == expected


@pytest.mark.parametrize("name", [parameter.name for parameter in PARAMETERS if parameter.name not in {"audio", "filename"}])
def test_a_value_that_is_none_is_refused_with_the_name_of_its_parameter(name: str) -> None:
    with pytest.raises(BadRequestError, match=f"^{name}: "):
        make_job(URL, {name: "ftp://?"})


@pytest.mark.parametrize(("name", "choice"), [(name, choice) for name, kind in CHOICES.items() for choice in kind])
def test_each_choice_can_be_made(name: str, choice: object) -> None:
    assert getattr(make_job(URL, {name: CHOICES[name](choice).value.upper()}), name) is choice


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda each: each.name)
def test_each_parameter_has_a_help_of_some_words_and_a_placeholder_or_is_a_flag(parameter: Parameter) -> None:
    assert len(parameter.help.split()) > 2
    assert parameter.metavar is None or parameter.metavar.strip()


def test_without_parameters_a_job_is_the_whole_source_as_it_is() -> None:
    expected: dict[str, object] = dict.fromkeys(Job._fields)
    expected |= {"url": URL, "start": 0.0, "mute": False, "exact": False, "embed_source": False}
    expected |= {
        "format": FileFormat.MP4,
        "video": VideoMode.COPY,
        "audio_codec": AudioMode.AUTO,
        "layout": Layout.AUTO,
        "deliver": Deliver.AUTO,
    }
    assert make_job(URL, {})._asdict() == expected


def test_a_number_that_is_none_is_told_what_it_should_be() -> None:
    with pytest.raises(BadRequestError, match=r"^item: 'a' is not the number of a video, counted from 1\.$"):
        make_job(URL, {"item": "a"})
