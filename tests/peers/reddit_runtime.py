"""The runtime with the transcoder itself, on the network of a Reddit on loopback; the emulator runs it in its own process."""

import json
import os
import ssl
import sys
from functools import partial
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
sys.path.append(str(Path(__file__).parents[2] / "fixtures"))

from peers.reddit import HOSTS, PUBLIC_ADDRESS, Reddit, loopback_network

from transcoder import bootstrap
from transcoder.app import application
from transcoder.emulator import Options

VARIABLE = "REDDIT_ON_LOOPBACK"
COMMAND = (sys.executable, str(Path(__file__).resolve()))


def options(site: Reddit, **environ: str) -> Options:
    """Return options that run the transcoder against `site`, with the settings of Lambda and those of `environ`."""
    (authority,) = site.authority.get_ca_certs(binary_form=True)
    place = json.dumps({"port": site.port, "authority": ssl.DER_cert_to_PEM_cert(authority)})
    return Options(command=COMMAND, environ={"PATH": os.environ["PATH"], VARIABLE: place, **bootstrap.LAMBDA_DEFAULTS, **environ})


def main() -> int:
    place = json.loads(os.environ[VARIABLE])
    authority = ssl.create_default_context(cadata=place["authority"])
    network = loopback_network(dict.fromkeys(HOSTS, PUBLIC_ADDRESS), place["port"], authority)
    return bootstrap.main(partial(application, network=network))


if __name__ == "__main__":
    sys.exit(main())
