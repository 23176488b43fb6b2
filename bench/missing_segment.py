"""Shows what each program makes of a playlist whose origin lacks one segment.

Prints a table: the exit code, whether there is a file, and what the file lacks.
"""

import shutil
import subprocess
from pathlib import Path

from peers import media_reader

from bench.contestants import CONTESTANTS, OWN_PYTHON, Contestant, environment
from bench.measure import serving_folder
from bench.packets import compare
from bench.sources import MINUTE, PLAYLIST, Source, make, scratch

MISSING = 7
"""The index of the segment that is not there: in the middle."""
SECONDS = 300.0


def main() -> None:
    """Run all programs, and print the table."""
    contestants = [each for each in CONTESTANTS if each.name in {"get", "ffmpeg", "streamlink-8", "yt-dlp"} and not each.missing]
    source = Source(MINUTE, "ts")
    make(source)
    with scratch() as folder:
        served = Path(folder, "served")
        shutil.copytree(source.folder, served)
        segments = [uri for _, (uri, _) in media_reader.listed_segments(source.media_playlists[0].read_text(encoding="utf-8"))]
        (served / segments[MISSING]).unlink()
        print(f"Segment {MISSING + 1} of {len(segments)} answers 404.\n\n| | exit code | file | what it lacks |\n|---|---|---|---|")
        with serving_folder(served) as (port, _):
            for contestant in contestants:
                print(_row(contestant, f"http://127.0.0.1:{port}", source, Path(folder)), flush=True)


def _row(contestant: Contestant, address: str, source: Source, folder: Path) -> str:
    output = folder / f"{contestant.name}{contestant.suffix}"
    # As people use it; for its own measurements, it writes to standard output.
    get = [OWN_PYTHON, "-P", "-m", "transcoder", "get", f"{address}/{PLAYLIST}", "-o", str(output)]
    is_get = contestant.name == "get"
    command = get if is_get else contestant.command(address, source, output)
    with output.with_suffix(".log").open("wb") as log:
        stdout = None if is_get or contestant.writes_file else output.open("wb")
        done = subprocess.run(command, check=False, stdout=stdout or log, stderr=log, env=environment(), timeout=SECONDS)
        if stdout is not None:
            stdout.close()
    if not output.exists():
        return f"| {contestant.program} {contestant.version_text()} | {done.returncode} | none | |"
    return f"| {contestant.program} {contestant.version_text()} | {done.returncode} | yes | {compare(output, source) or 'nothing'} |"


if __name__ == "__main__":
    main()
