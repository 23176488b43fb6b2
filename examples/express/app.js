// A site whose visitors download videos through Transcoder: `npm ci && SIGNING_KEY=… npm start`, with Node 18 or newer.
// SERVICE is the address of the service without a slash at its end, and SIGNING_KEY one of its TRANSCODER_SIGNING_KEYS.

import crypto from "node:crypto";
import express from "express";

const { SERVICE = "http://127.0.0.1:9000", SIGNING_KEY, PORT = "5000" } = process.env;
const VALID_SECONDS = 900; // how long a visitor can begin a download with a link; one that has begun goes on
const INFO_SECONDS = 30; // how long the service may look at a source
if (!SIGNING_KEY) throw new Error("SIGNING_KEY is not set.");

/** Return the address of `path` at the service, signed for these parameters. */
function signedLink(path, parameters) {
  const values = { ...parameters, exp: String(Math.floor(Date.now() / 1000) + VALID_SECONDS) };
  const text = Object.keys(values).sort().map((name) => `${name}=${values[name]}`).join("\n");
  const sig = crypto.createHmac("sha256", SIGNING_KEY).update(text, "utf8").digest("hex");
  return `${SERVICE}${path}?${new URLSearchParams({ ...values, sig })}`;
}

const escaped = (text) => String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Return the box for a link, with `below` under it, which is HTML. */
const page = (url = "", below = "") => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Save a video</title>
<form action="/video">
  <label>Link to a video: <input name="url" type="url" value="${escaped(url)}" required></label>
  <button>Look</button>
</form>
${below}
</html>
`;
const problem = (text) => `<p role="alert">${escaped(text)}</p>`;

/** Return what a source is, with a link to each of its qualities. */
function description(url, info) {
  const sizes = new Set(info.variants.filter(({ width, height }) => width && height).map(({ width, height }) => Math.min(width, height)));
  const link = (parameters, text) => `<li><a href="/save?${escaped(new URLSearchParams(parameters))}">${text}</a></li>`;
  const links = [...sizes].sort((a, b) => b - a).map((size) => link({ url, height: String(size) }, `${size}p`));
  return `<h1>${escaped(info.title ?? info.file_name)}</h1>
${info.seconds === null ? "" : `<p>${info.seconds.toFixed(1)} seconds</p>`}
<ul>${(links.length ? links : [link({ url }, "Save")]).join("\n")}</ul>`;
}

const app = express();

app.get("/", (_request, response) => response.send(page()));

/** Return the status of the service's answer about a source, and the answer; null if there is none. */
async function look(url) {
  try {
    const answer = await fetch(signedLink("/info", { url }), { signal: AbortSignal.timeout(INFO_SECONDS * 1000) });
    return { status: answer.status, info: await answer.json() };
  } catch {
    return null; // it cannot be reached, or something else has answered for it, which is not JSON
  }
}

app.get("/video", async (request, response) => {
  const url = String(request.query.url ?? "");
  const found = await look(url);
  if (!found) response.status(502).send(page(url, problem("The service that makes the videos cannot be reached.")));
  else response.status(found.status).send(page(url, found.status === 200 ? description(url, found.info) : problem(found.info.detail)));
});

// Decide here who may have a link.
app.get("/save", (request, response) => {
  const { url, height } = request.query;
  const parameters = { ...(url && { url: String(url) }), ...(height && { height: String(height) }) };
  response.redirect(303, signedLink("/download", parameters));
});

const server = app.listen(Number(PORT), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/`));
