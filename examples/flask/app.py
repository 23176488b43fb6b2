"""A site whose visitors download videos through Transcoder: `flask --app examples/flask/app run`.

SERVICE is the address of the service without a slash at its end, and SIGNING_KEY one of its TRANSCODER_SIGNING_KEYS.
"""

import hmac
import os
import time
from http import HTTPStatus
from urllib.parse import urlencode

import httpx
from flask import Flask, redirect, render_template, request
from werkzeug.wrappers import Response

SERVICE = os.environ.get("SERVICE", "http://127.0.0.1:9000")
SIGNING_KEY = os.environ["SIGNING_KEY"]
VALID_SECONDS = 900
"""How long a visitor can begin a download with a link; one that has begun goes on."""
INFO_SECONDS = 30.0
"""How long the service may look at a source."""

app = Flask(__name__)


def signed_link(path: str, parameters: dict[str, str]) -> str:
    """Return the address of `path` at the service, signed for these parameters."""
    values = parameters | {"exp": str(int(time.time()) + VALID_SECONDS)}
    text = "\n".join(f"{name}={values[name]}" for name in sorted(values))
    signature = hmac.new(SIGNING_KEY.encode(), text.encode(), "sha256").hexdigest()
    return f"{SERVICE}{path}?" + urlencode(values | {"sig": signature})


@app.get("/")
def form() -> str:
    """Show the box for a link."""
    return render_template("page.html")


@app.get("/video")
def video() -> tuple[str, int]:
    """Show what the source is, with a link to each of its qualities; or why there is no video."""
    url = request.args.get("url", "")
    try:
        response = httpx.get(signed_link("/info", {"url": url}), timeout=INFO_SECONDS)
        answer = response.json()
    except (httpx.HTTPError, ValueError):  # not JSON: something else than the service has answered
        return render_template("page.html", url=url, problem="The service that makes the videos cannot be reached."), HTTPStatus.BAD_GATEWAY
    if response.is_error:
        return render_template("page.html", url=url, problem=answer["detail"]), response.status_code
    sizes = {min(each["width"], each["height"]) for each in answer["variants"] if each["width"] and each["height"]}
    return render_template("page.html", url=url, video=answer, sizes=sorted(sizes, reverse=True)), HTTPStatus.OK


@app.get("/save")
def save() -> Response:
    """Send the visitor to the service with a signed link; decide here who may have one."""
    parameters = {name: request.args[name] for name in ("url", "height") if request.args.get(name)}
    return redirect(signed_link("/download", parameters), HTTPStatus.SEE_OTHER)
