/**
 * The page: a link is pasted, its video is shown, watched or saved.
 *
 * From top to bottom: texts, requests, reading MP4, files on this device, downloads, watching, the card, the box.
 * It stores nothing and asks no other host. Whatever comes from outside becomes text in the page, never HTML.
 */

/** A range that leaves Lambda at full speed and without the fee for streaming. */
const RANGE_BYTES = 6 * 2 ** 20 - 16 * 2 ** 10;
const CONNECTIONS = 4;
/** How often a range is asked for without a byte of progress. */
const ATTEMPTS = 5;
/** How long a busy service (429) is asked again. */
const BUSY_SECONDS = 90;
/** Smaller files are kept in memory until they are saved, larger ones on the disk. */
const MEMORY_BYTES = 64e6;
/** How far ahead of the playback a stream is read. */
const AHEAD_SECONDS = 60;
/** After so long a silence nothing more is expected of the service, which itself gives up sooner. */
const SILENCE_SECONDS = 120;

/** The elements of the page by their ids. @type {Record<string, any>} */
const page = Object.fromEntries([...document.querySelectorAll("[id]")].map((each) => [each.id, each]));

/* ---- Texts ---- */

/** @type {Record<string, any>} */
let words = {};
let language = "en";

/** Puts the texts of the first language of the browser into the page that there is a file for. */
async function loadWords() {
  const files = new Map((document.documentElement.dataset.languages ?? "").split(" ").map((each) => [each.slice(0, 2), each.slice(3)]));
  language = navigator.languages.map((each) => each.slice(0, 2).toLowerCase()).find((each) => files.has(each)) ?? "en";
  words = await (await fetch(files.get(language) ?? "")).json();
  document.documentElement.lang = language;
  document.title = words.title;
  page.address.placeholder = words.placeholder;
  for (const each of document.querySelectorAll("[data-word]")) each.textContent = words[each.getAttribute("data-word") ?? ""];
  for (const each of document.querySelectorAll("[data-label]")) each.setAttribute("aria-label", words[each.getAttribute("data-label") ?? ""]);
}

/** Returns a text with values in place of its marks. @param {string} name @param {Record<string, string | number>} [values] */
function say(name, values = {}) {
  return String(words[name]).replace(/\{(\w+)\}/g, (_, mark) => String(values[mark]));
}

/** @param {number} bytes */
function sizeText(bytes) {
  const megabytes = bytes / 1e6;
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: megabytes < 10 ? 1 : 0 }).format(Math.max(megabytes, 0.1))} MB`;
}

/** @param {number} seconds */
function clockText(seconds) {
  const tenths = Math.round(seconds * 10), whole = Math.floor(tenths / 10);
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}${tenths % 10 ? `.${tenths % 10}` : ""}`;
}

/** Returns the seconds of `90`, `1:30` or `1:02:03.5`; NaN for anything else. @param {string} text */
function parseClock(text) {
  const parts = text.trim().replace(",", ".").split(":");
  if (parts.length > 3 || !parts.every((part) => /^\d+(\.\d+)?$/.test(part))) return NaN;
  return parts.reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** @param {number} seconds */
function waitText(seconds) {
  const [value, unit] = seconds < 90 ? [Math.max(1, seconds), "second"] : [seconds / 60, "minute"];
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 0 }).format(value);
}

/* ---- Requests ---- */

/** @typedef {Record<string, string>} Query the parameters of a link */
/** @typedef {RequestInit & {onBusy?: (seconds: number) => void}} Options */

/** A failure that has a sentence in the table of errors. */
class Problem extends Error {
  /** @param {string} slug @param {string} [detail] for the curious @param {string} [request] the id of the request */
  constructor(slug, detail = "", request = "") {
    super(detail || slug);
    this.slug = slug in words.errors ? slug : "invocation-failed";
    this.detail = detail;
    this.request = request;
  }
}

const mustSign = document.documentElement.dataset.signed === "yes";
/** @type {Map<string, {query: string, until: number}>} */
const signedQueries = new Map();

/** Returns the query of a link; where links must be signed, it is signed for a short time. @param {Query} parameters */
async function queryOf(parameters) {
  const query = new URLSearchParams(parameters).toString();
  if (!mustSign) return query;
  const known = signedQueries.get(query);
  if (known && known.until > Date.now()) return known.query;
  const response = await fetched(`/link?${query}`);
  if (!response.ok) throw await problemOf(response);
  const link = await documentOf(response);
  signedQueries.set(query, { query: link.query, until: Date.now() + (link.seconds - 30) * 1000 });
  return String(link.query);
}

/** Asks this host until it succeeds: waits while it is busy, and renews a link that has expired. */
async function ask(/** @type {string} */ path, /** @type {Query} */ parameters, /** @type {Options} */ { onBusy, ...init } = {}) {
  for (let waited = 0, pause = 1, isRenewed = false; ; ) {
    const response = await fetched(`${path}?${await queryOf(parameters)}`, { redirect: "manual", ...init });
    if (response.ok) return response;
    if (response.type === "opaqueredirect") throw new Problem("too-large"); /* to a file that is made already: `makeFile` has its address */
    const problem = await problemOf(response);
    if (problem.slug === "bad-signature" && mustSign && !isRenewed) {
      isRenewed = true;
      signedQueries.clear();
    } else if (problem.slug === "busy" && waited < BUSY_SECONDS) {
      const seconds = Math.min(Number(response.headers.get("Retry-After")) || pause, 30);
      onBusy?.(seconds);
      await sleep(seconds, init.signal);
      waited += seconds;
      pause = Math.min(pause * 2, 15);
    } else throw problem;
  }
}

/** @param {string} url @param {RequestInit} [init] @returns {Promise<Response>} */
async function fetched(url, init) {
  return inTime(fetch(url, init)).catch((error) => {
    throw brokenOff(error, "unreachable");
  });
}

/** Returns what the service sends, or fails if that takes too long. @template T @param {Promise<T>} promise @returns {Promise<T>} */
function inTime(promise) {
  let timer = 0;
  const silence = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error("The service says nothing.")), SILENCE_SECONDS * 1000)));
  return /** @type {Promise<any>} */ (Promise.race([promise, silence])).finally(() => clearTimeout(timer));
}

/** Returns the JSON in a response; what is none does not come from the service. @param {Response} response @returns {Promise<any>} */
async function documentOf(response) {
  return inTime(response.json()).catch((error) => {
    throw brokenOff(error, "invocation-failed");
  });
}

/** @param {any} error */
function nameOf(error) {
  return String(error?.name);
}

/** @param {unknown} error */
function slugOf(error) {
  return error instanceof Problem ? error.slug : "";
}

/** Returns the problem that the failure of a transfer is; what is one already, or was cancelled, stays as it is. */
function brokenOff(/** @type {any} */ error, /** @type {string} */ slug) {
  if (slugOf(error) || nameOf(error) === "AbortError") return error;
  return new Problem(navigator.onLine ? slug : "offline", String(error));
}

/** @param {Response} response */
async function problemOf(response) {
  const request = response.headers.get("x-amzn-requestid") ?? response.headers.get("x-amz-cf-id") ?? "";
  const document = (await documentOf(response).catch(() => null)) ?? {};
  const slug = response.status === 429 ? "busy" : String(document.type).split(":").pop() ?? "";
  return new Problem(slug, document.detail ?? `HTTP ${response.status}`, request);
}

/** @param {number} seconds @param {AbortSignal | null} [signal] @returns {Promise<void>} */
function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}

/** Yields the pieces of a body. @param {Response} response @returns {AsyncGenerator<Uint8Array<ArrayBuffer>>} */
async function* piecesOf(response) {
  const reader = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (response.body).getReader();
  let isDone = false;
  try {
    for (let read = await inTime(reader.read()); !(isDone = read.done); read = await inTime(reader.read())) yield /** @type {any} */ (read.value);
  } finally {
    if (!isDone) reader.cancel().catch(() => undefined);
  }
}

/* ---- Reading MP4 (ISO/IEC 14496-12) ---- */

/** @typedef {{type: string, at: number, end: number}} Box where its content begins and ends */

/** @param {DataView} view @param {number} at */
function typeAt(view, at) {
  return String.fromCharCode(...new Uint8Array(view.buffer, at, 4));
}

/** Yields the boxes in a part of a buffer. @param {DataView} view @param {number} at @param {number} end @returns {Generator<Box>} */
function* boxesIn(view, at, end) {
  for (let size = 0; at + 8 <= end; at += size) {
    size = view.getUint32(at);
    if (size < 8 || at + size > end) return;
    yield { type: typeAt(view, at + 4), at: at + 8, end: at + size };
  }
}

/** Returns the boxes at a path in a `moov`, such as `trak/mdia`. @param {DataView} view @param {string} path */
function boxesAt(view, path) {
  let found = [{ type: "moov", at: 8, end: view.byteLength }];
  for (const type of path.split("/")) found = found.flatMap((box) => [...boxesIn(view, box.at, box.end)]).filter((box) => box.type === type);
  return found;
}

/** Returns the seconds in a `moov`: of its fragments (`mehd`), or else of the movie (`mvhd`). @param {DataView} view */
function durationOf(view) {
  const [movie] = boxesAt(view, "mvhd"), [fragments] = boxesAt(view, "mvex/mehd");
  const number = (/** @type {number} */ at, /** @type {boolean} */ isLong) => (isLong ? Number(view.getBigUint64(at)) : view.getUint32(at));
  const isLong = view.getUint8(movie.at) === 1;
  const units = (fragments && number(fragments.at + 4, view.getUint8(fragments.at) === 1)) || number(movie.at + (isLong ? 24 : 16), isLong);
  return units / view.getUint32(movie.at + (isLong ? 20 : 12));
}

/** Returns the codecs of a `moov` as RFC 6381 names them. @param {DataView} view @param {string[]} named those that the playlist names */
function codecsOf(view, named) {
  const common = { hvc: "1.6.L123.B0", hev: "1.6.L123.B0", av0: "0.08M.08", vp0: "00.41.08" };
  return boxesAt(view, "trak/mdia/minf/stbl/stsd").map(({ at, end }) => {
    const [entry] = boxesIn(view, at + 8, end), family = entry.type.slice(0, 3);
    const isVideo = /^(avc|hvc|hev|av0|vp0)/.test(family);
    const inside = (/** @type {string} */ type) => [...boxesIn(view, entry.at + (isVideo ? 78 : 28), entry.end)].find((box) => box.type === type);
    const avc = inside("avcC"), esds = inside("esds");
    if (avc) return `${entry.type}.${[1, 2, 3].map((place) => view.getUint8(avc.at + place).toString(16).padStart(2, "0")).join("")}`;
    if (esds) return audioCodec(view, esds);
    if (isVideo) return named.find((codec) => codec.startsWith(entry.type)) ?? `${entry.type}.${common[/** @type {"hvc"} */ (family)]}`;
    return entry.type.toLowerCase();
  });
}

/** Finds both object types in an `esds` (ISO/IEC 14496-1): its descriptors are 3, 4 and 5. @param {DataView} view @param {Box} esds */
function audioCodec(view, esds) {
  for (let at = esds.at + 4, type = 0; at < esds.end; ) {
    const tag = view.getUint8(at++);
    while (view.getUint8(at++) & 128);
    if (tag === 5) return type === 64 ? `mp4a.40.${view.getUint8(at) >> 3}` : `mp4a.${type.toString(16)}`;
    if (tag === 4) type = view.getUint8(at);
    at += tag === 4 ? 13 : 3;
  }
  return "mp4a.6b";
}

/** Follows the top-level boxes of an MP4 that comes in pieces: where they end, what the last one is, and the `moov`. */
class BoxWalk {
  isBroken = false;
  last = "";
  left = 0;
  headBytes = 0;
  head = new DataView(new ArrayBuffer(16));
  /** What has come of a `moov`. @type {Uint8Array<ArrayBuffer> | null} */
  kept = null;
  /** @type {DataView | null} */
  moov = null;

  /** Whether what has come ends with a whole index (`mfra`), as only a whole fragmented MP4 does. */
  get isWhole() {
    return !this.isBroken && this.last === "mfra" && this.left === 0 && this.headBytes === 0;
  }

  /** @param {Uint8Array} piece */
  feed(piece) {
    for (let at = 0; at < piece.length && !this.isBroken; ) {
      const headSize = this.headBytes >= 8 && this.head.getUint32(0) === 1 ? 16 : 8;
      const taken = piece.subarray(at, at + (this.left || headSize - this.headBytes));
      at += taken.length;
      if (this.left) {
        this.kept?.set(taken, this.kept.length - this.left);
        this.left -= taken.length;
      } else {
        new Uint8Array(this.head.buffer).set(taken, this.headBytes);
        this.headBytes += taken.length;
        if (this.headBytes === headSize) this.begin();
      }
      if (this.kept && !this.left) [this.moov, this.kept] = [new DataView(this.kept.buffer), null];
    }
  }

  /** Begins the box whose head has come; the rest of a long head is waited for. */
  begin() {
    const isLong = this.head.getUint32(0) === 1;
    if (isLong && this.headBytes === 8) return;
    const size = isLong ? Number(this.head.getBigUint64(8)) : this.head.getUint32(0);
    this.last = typeAt(this.head, 4);
    this.left = size - this.headBytes;
    this.isBroken = this.left < 0;
    if (this.last === "moov" && size < 64e6 && this.left > 0) {
      this.kept = new Uint8Array(size);
      this.kept.set(new Uint8Array(this.head.buffer, 0, this.headBytes));
    }
    this.headBytes = 0;
  }
}

/* ---- Files on this device ---- */

/**
 * Where a file is put together. What `finish` returns is the file, of a type; null if it is in its final place already.
 * @typedef {{write: (at: number, piece: Uint8Array<ArrayBuffer>) => Promise<void>, finish: (type: string) => Promise<File | null>, discard: () => Promise<void>}} Place
 */

/** @param {string} name @returns {Place} */
function memoryPlace(name) {
  /** @type {{at: number, piece: Uint8Array<ArrayBuffer>}[]} */
  let pieces = [];
  return {
    write: async (at, piece) => void pieces.push({ at, piece }),
    finish: async (type) => new File(pieces.sort((a, b) => a.at - b.at).map((each) => each.piece), name, { type }),
    discard: async () => void (pieces = []),
  };
}

/** A file that the browser writes beside its place, and puts there when it is whole. @param {FileSystemFileHandle} handle @returns {Promise<Place>} */
async function handlePlace(handle) {
  const writable = await handle.createWritable();
  return {
    write: (position, data) => writable.write({ type: "write", position, data }),
    finish: async () => (await writable.close(), null),
    discard: async () => {
      await writable.abort();
      if (!(await handle.getFile()).size) await /** @type {any} */ (handle).remove?.(); /* made by the dialog, and empty */
    },
  };
}

/** A file in the private folder of this page (OPFS). @param {string} name @returns {Promise<Place>} */
async function privatePlace(name) {
  const folder = await navigator.storage.getDirectory();
  const handle = await folder.getFileHandle(`${Date.now()}-${crypto.randomUUID()}`, { create: true });
  const place = await handlePlace(handle);
  return {
    write: place.write,
    finish: async (type) => (await place.finish(type), new File([await handle.getFile()], name, { type })),
    discard: async () => (await place.discard(), folder.removeEntry(handle.name)),
  };
}

/** Removes from the private folder what an earlier visit has left there. */
async function removeLeftovers() {
  const folder = await navigator.storage?.getDirectory?.().catch(() => null); /* private windows may have none */
  if (!folder) return;
  for await (const name of /** @type {any} */ (folder).keys())
    if (Date.now() - parseInt(name, 10) > 36e5) await folder.removeEntry(name).catch(() => undefined); /* another tab is writing it */
}

/** Opens a place for about so many bytes (0: unknown), for many on the disk, where the person wants it. @param {string} name @param {number} bytes */
async function openPlace(name, bytes) {
  if (bytes && bytes < MEMORY_BYTES) return memoryPlace(name);
  const picker = bytes && /** @type {any} */ (window).showSaveFilePicker;
  try {
    if (picker) return await handlePlace(await picker.call(window, { suggestedName: name }));
  } catch (error) {
    if (nameOf(error) === "AbortError") throw error; /* the person has changed their mind */
  }
  return privatePlace(name).catch(() => memoryPlace(name));
}

/* ---- Downloads ---- */

/** @typedef {{bytes: number, total: number, speed: number}} Progress bytes so far, about how many in all (0: unknown), and a second */
/** @typedef {{at: number, end: number}} Part what is missing of a range */

/** One file that is fetched: by ranges if it has them, else as one stream. With ranges it goes on where it has failed. */
class Download {
  /** @type {Part[]} */
  parts = [];
  bytes = 0;
  total = 0;
  etag = "";
  /** Of the file, as the service names it. */
  type = "";
  /** Whether it was possible to check that the file is whole. */
  isChecked = true;
  /** Whether it is a stream where a plain MP4 was wanted. */
  isStream = false;
  /** @type {{time: number, bytes: number}[]} */
  marks = [];

  /** @param {Query} parameters @param {Place} place @param {{isFile: boolean, estimate: number}} about @param {{onProgress: (progress: Progress) => void, onBusy: (seconds: number) => void}} listener */
  constructor(parameters, place, about, listener) {
    this.parameters = parameters;
    this.place = place;
    this.about = about;
    this.listener = listener;
  }

  /** Fetches what is missing. When it returns, the file is whole. @param {AbortSignal} signal */
  async run(signal) {
    this.marks = [];
    if (!this.parts.length) await this.begin(signal);
    if (this.parts.length) await this.fetchParts(signal);
  }

  /** @param {AbortSignal} signal @param {Record<string, string>} [headers] */
  request(signal, headers = {}) {
    return ask("/download", this.parameters, { headers, signal, onBusy: this.listener.onBusy });
  }

  /** Fetches the first range, or all of the stream that comes instead. @param {AbortSignal} signal */
  async begin(signal) {
    const response = await this.request(signal, { Range: `bytes=0-${RANGE_BYTES - 1}` });
    if (response.status !== 206) return this.takeStream(response);
    this.type = response.headers.get("Content-Type") ?? "";
    const total = Number(/\/(\d+)$/.exec(response.headers.get("Content-Range") ?? "")?.[1]);
    this.etag = response.headers.get("ETag") ?? "";
    if (!total || !this.etag.startsWith('"')) {
      response.body?.cancel(); /* ranges that nothing holds together */
      return this.takeStream(await this.request(signal));
    }
    this.total = total;
    for (let at = 0; at < total; at += RANGE_BYTES) this.parts.push({ at, end: Math.min(at + RANGE_BYTES, total) });
    return this.fetchPart(this.parts[0], signal, response);
  }

  /** Fetches the missing parts, several at once. After a failure no further range is asked for. @param {AbortSignal} signal */
  async fetchParts(signal) {
    const missing = this.parts.filter((part) => part.at < part.end);
    const stop = new AbortController(), stopped = stop.signal;
    signal.addEventListener("abort", () => stop.abort(signal.reason));
    const lane = async () => {
      for (let part = missing.shift(); part; part = missing.shift()) await this.fetchPart(part, stopped);
    };
    await Promise.allSettled(Array.from({ length: CONNECTIONS }, () => lane().catch((error) => stop.abort(error))));
    stopped.throwIfAborted();
  }

  /** Fetches a part, again from where it has broken off. @param {Part} part @param {AbortSignal} signal @param {Response} [response] */
  async fetchPart(part, signal, response) {
    for (let attempt = 1; part.at < part.end; attempt++, response = undefined) {
      const before = part.at;
      try {
        response ??= await this.request(signal, { Range: `bytes=${part.at}-${part.end - 1}`, "If-Range": this.etag });
        await this.takePart(response, part);
      } catch (error) {
        if (part.at > before) attempt = 1;
        if (signal.aborted || attempt >= ATTEMPTS || !/^(network|unreachable|(upstream|invocation)-failed|upstream-timeout)$/.test(slugOf(error))) throw error;
        await sleep(0.2 * 2 ** attempt, signal);
      }
    }
  }

  /** @param {Response} response @param {Part} part */
  async takePart(response, part) {
    if (response.status !== 206 || response.headers.get("ETag") !== this.etag) {
      response.body?.cancel();
      [this.parts, this.bytes] = [[], 0];
      throw new Problem("range-not-satisfiable");
    }
    try {
      for await (const piece of piecesOf(response)) {
        const wanted = piece.subarray(0, part.end - part.at);
        await this.write(part.at, wanted);
        part.at += wanted.length;
      }
    } catch (error) {
      throw brokenOff(error, "network");
    }
    if (part.at < part.end) throw new Problem("network", `${part.end - part.at} bytes of a range are missing.`);
  }

  /** Takes a whole body, which is whole by its length, or by the index at its end and the duration in its header. @param {Response} response */
  async takeStream(response) {
    if (!response.headers.get("Content-Disposition")) throw new Problem("invocation-failed", "This is not the file."); /* but a page of something between */
    this.type = response.headers.get("Content-Type") ?? "";
    const number = (/** @type {string} */ name) => Number(response.headers.get(name) ?? 0);
    const exact = number("X-Content-Length") || (this.about.isFile && number("X-Content-Length-Estimate"));
    this.total = exact || number("X-Content-Length-Estimate") || this.about.estimate;
    this.bytes = 0;
    const walk = new BoxWalk(), announced = number("X-Content-Duration");
    try {
      for await (const piece of piecesOf(response)) {
        walk.feed(piece);
        await this.write(this.bytes, piece);
      }
    } catch (error) {
      throw brokenOff(error, "not-whole");
    }
    this.isChecked = Boolean(exact) || !this.about.isFile;
    const isComplete = walk.isWhole && walk.moov && (!announced || Math.abs(durationOf(walk.moov) - announced) < 0.1);
    if (exact ? this.bytes !== exact : !isComplete && !this.about.isFile)
      throw new Problem("not-whole", exact ? `${this.bytes} of ${exact} bytes` : `${this.bytes} bytes, without the index at the end`);
  }

  /** @param {number} at @param {Uint8Array<ArrayBuffer>} piece */
  async write(at, piece) {
    await this.place.write(at, piece).catch((error) => {
      throw new Problem("no-space", String(error));
    });
    this.bytes += piece.length;
    const now = performance.now() / 1000;
    if (now - (this.marks.at(-1)?.time ?? 0) < 0.1) return;
    this.marks = [...this.marks.filter((mark) => now - mark.time < 4), { time: now, bytes: this.bytes }];
    const [first] = this.marks, speed = now > first.time ? (this.bytes - first.bytes) / (now - first.time) : 0;
    this.listener.onProgress({ bytes: this.bytes, total: this.total, speed });
  }
}

/** Has a file made that one response cannot have, and returns its address. @returns {Promise<string>} */
async function makeFile(/** @type {Query} */ parameters, /** @type {AbortSignal} */ signal, /** @type {(percent: number) => void} */ onProgress) {
  const response = await ask("/events", parameters, { headers: { Accept: "application/x-ndjson" }, signal });
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const piece of piecesOf(response)) {
      const lines = (text + decoder.decode(piece, { stream: true })).split("\n");
      text = lines.pop() ?? "";
      for (const event of lines.filter(Boolean).map((line) => JSON.parse(line))) {
        if (event.event === "progress") onProgress(Math.min(99, (100 * event.seconds) / event.total_seconds));
        if (event.event === "failed") throw new Problem(String(event.type).split(":").pop() ?? "", event.detail);
        if (event.event === "done" && !event.file) throw new Problem("too-large", event.detail);
        if (event.event === "done") return event.file;
      }
    }
  } catch (error) {
    throw brokenOff(error, "unreachable");
  }
  throw new Problem("invocation-failed", "The events ended too early.");
}

/* ---- Watching ---- */

/** @type {AbortController | null} */
let watching = null;
/** Where the playback was begun again. */
let restartedAt = 0;

/** Stops the video, and shows the poster again. */
function stopWatching() {
  watching?.abort();
  watching = null;
  page.video.hidden = true;
  page.video.removeAttribute("src");
  page.video.load();
  page.watch.hidden = false;
  page.poster.hidden = !page.poster.naturalWidth;
  page.stage.classList.toggle("blank", page.poster.hidden);
}

/** Plays the video as it comes, from a second on: by ranges where the source gives them, else as a stream, else when it is finished. */
async function watch(/** @type {Query} */ parameters, /** @type {any} */ info, /** @type {number} */ from) {
  stopWatching();
  const { signal } = (watching = new AbortController());
  const Source = /** @type {any} */ (window).ManagedMediaSource ?? window.MediaSource;
  [page.watch.hidden, page.poster.hidden, page.video.hidden] = [true, true, false];
  page.stage.classList.remove("blank");
  page.video.focus();
  try {
    const response = await ask("/download", parameters, { headers: { Range: "bytes=0-0" }, signal });
    const isFile = response.status === 206 || info.kind === "file";
    if (!isFile && Source) return await playStream(Source, response, info, signal);
    response.body?.cancel();
    if (!isFile) return await playFinished(parameters, info, signal);
    page.video.src = `/download?${await queryOf(parameters)}`;
    page.video.currentTime = restartedAt = from;
  } catch (error) {
    if (signal.aborted) return;
    stopWatching();
    showProblem(error, () => watch(parameters, info, from));
  }
}

/** Goes on where a file has broken off, with another link if its own has expired, as long as that gets further. */
function videoFailed() {
  const { error, currentTime } = page.video;
  if (!watching || !shown || !error || !page.video.getAttribute("src")?.startsWith("/")) return;
  const again = watch.bind(null, chosen(), shown.info, currentTime);
  stopWatching();
  if (currentTime > restartedAt) again();
  else showProblem(new Problem(error.code === error.MEDIA_ERR_NETWORK ? "unreachable" : "cannot-play", error.message), again);
}

/** Plays a stream through Media Source Extensions, and says so if it breaks off. */
async function playStream(/** @type {any} */ Source, /** @type {Response} */ response, /** @type {any} */ info, /** @type {AbortSignal} */ signal) {
  const source = new Source(), { video } = page;
  video.disableRemotePlayback = true; /* Safari plays managed sources only without it */
  video.src = URL.createObjectURL(source);
  await once(source, "sourceopen");
  URL.revokeObjectURL(video.src);
  const walk = new BoxWalk();
  /** @type {Uint8Array<ArrayBuffer>[]} */
  let waiting = [];
  /** @type {SourceBuffer | null} */
  let buffer = null;
  try {
    for await (const piece of piecesOf(response)) {
      walk.feed(piece);
      waiting.push(piece);
      if (!walk.moov) continue;
      buffer ??= openBuffer(source, walk.moov, info, Number(response.headers.get("X-Content-Duration")));
      for (const each of waiting) await append(buffer, each, signal);
      waiting = [];
    }
    if (!walk.isWhole) throw new Problem("not-whole");
    source.endOfStream();
  } catch (error) {
    throw video.error ? new Problem("cannot-play", video.error.message) : brokenOff(error, "not-whole");
  }
}

/** @returns {SourceBuffer} */
function openBuffer(/** @type {any} */ source, /** @type {DataView} */ moov, /** @type {any} */ info, /** @type {number} */ seconds) {
  const codecs = codecsOf(moov, info.variants.flatMap((/** @type {any} */ each) => each.codecs));
  const type = `video/mp4; codecs="${codecs.join(", ")}"`;
  if (!source.constructor.isTypeSupported(type)) throw new Problem("cannot-play", type);
  const buffer = source.addSourceBuffer(type);
  if (seconds) source.duration = seconds;
  return buffer;
}

/** Gives a piece to the player, as soon as it has room for it and is not too far ahead of the playback. */
async function append(/** @type {SourceBuffer} */ buffer, /** @type {Uint8Array<ArrayBuffer>} */ piece, /** @type {AbortSignal} */ signal) {
  const { video } = page;
  const ahead = () => (buffer.buffered.length ? buffer.buffered.end(buffer.buffered.length - 1) - video.currentTime : 0);
  while (ahead() > AHEAD_SECONDS) await sleep(0.5, signal);
  for (;;) {
    signal.throwIfAborted();
    if (video.error) throw new Problem("cannot-play", video.error.message);
    try {
      buffer.appendBuffer(piece);
      await once(buffer, "updateend");
      const { buffered } = buffer;
      /* Firefox and Safari wait for a beginning that never comes, where the video begins later than the sound. */
      if (buffered.length && video.currentTime < buffered.start(0)) video.currentTime = buffered.start(0);
      return;
    } catch (error) {
      if (/** @type {any} */ (error).name !== "QuotaExceededError") throw error;
      if (video.currentTime > 20) {
        buffer.remove(0, video.currentTime - 10);
        await once(buffer, "updateend");
      }
      await sleep(0.5, signal);
    }
  }
}

/** Has the finished file made, fetches it whole, and plays it: for devices that can do nothing else. */
async function playFinished(/** @type {Query} */ parameters, /** @type {any} */ info, /** @type {AbortSignal} */ signal) {
  const place = memoryPlace("");
  const onProgress = (/** @type {Progress} */ { bytes, total }) => showStatus(say("preparing", { percent: Math.floor((100 * bytes) / (total || bytes)) }));
  const about = { isFile: false, estimate: info.estimated_bytes ?? 0 };
  await new Download({ ...parameters, layout: "plain" }, place, about, { onProgress, onBusy: showBusy }).run(signal);
  showStatus("");
  page.video.src = URL.createObjectURL(/** @type {File} */ (await place.finish("video/mp4")));
}

/** @param {EventTarget} target @param {string} name @returns {Promise<void>} */
function once(target, name) {
  return new Promise((resolve) => on(target, name, () => resolve(), { once: true }));
}

/* ---- The card ---- */

/** What is shown: the parameters of the link, and the report on what is chosen. @type {{link: Query, info: any} | null} */
let shown = null;
/** Ends what the card asks for when the card goes. */
let card = new AbortController();
/** What is asked for now; `url` is that of the box, if it is that. @type {AbortController & {url?: string} | null} */
let looking = null;
/** The report on what is chosen; null if it has failed. @type {Promise<void> | null} */
let reporting = null;
/** Ends the download that is under way. @type {AbortController | null} */
let saving = null;
/** What has failed, but can go on. @type {Download | null} */
let kept = null;
/** @type {File | null} */
let savedFile = null;

/** Returns the parameters of the output that is chosen in the card. @returns {Query} */
function chosen() {
  const form = new FormData(page.choices), text = (/** @type {string} */ name) => String(form.get(name) ?? "");
  const { from, to, part } = page, kind = text("kind");
  return {
    ...shown?.link,
    ...(text("quality") && kind !== "audio" && { height: text("quality") }),
    ...(kind === "audio" && { format: "m4a" }),
    ...(kind === "silent" && { mute: "1" }),
    ...(text("fit") && { fit: text("fit") }),
    ...(!part.hidden && from.valueAsNumber > 0 && { start: String(from.valueAsNumber) }),
    ...(!part.hidden && to.valueAsNumber < Number(to.max) && { end: String(to.valueAsNumber) }),
  };
}

/** Looks for a video, and shows its card; the one that was shown goes. @param {Query} link */
async function look(link) {
  closeCard();
  const { signal } = (looking = Object.assign(new AbortController(), { url: link.url }));
  setButton();
  showStatus(say("looking"));
  try {
    const info = await documentOf(await ask("/info", link, { signal, onBusy: showBusy }));
    if (signal.aborted) return;
    looking = null;
    shown = { link, info };
    reporting = Promise.resolve();
    showStatus("");
    fillCard(info);
    fillPicker(info.items);
  } catch (error) {
    if (signal.aborted) return;
    looking = null;
    showProblem(error, () => look(link));
  }
  setButton();
}

function closeCard() {
  card.abort();
  card = new AbortController();
  looking?.abort();
  looking = null;
  shown = null;
  dropKept();
  stopWatching();
  page.card.hidden = page.picker.hidden = page.problem.hidden = true;
  showStatus("");
}

/** @param {any} info */
function fillCard(info) {
  const isFile = info.kind === "file", poster = info.poster ?? info.thumbnail;
  page.choices.reset();
  page.name.textContent = info.title || String(info.file_name ?? "").replace(/\.\w+$/, "") || say("untitled");
  const site = [info.subreddit && `r/${info.subreddit}`, info.page && new URL(info.page, location.href).host].find(Boolean);
  page.facts.textContent = [info.seconds && clockText(Math.round(info.seconds)), info.items.length > 1 && say("item-of", { number: itemOf(info), count: info.items.length }),
    info.silent && say("no-sound"), site].filter(Boolean).join(" · ");
  page.poster.removeAttribute("src");
  page.poster.hidden = true;
  page.stage.classList.add("blank");
  page.stage.classList.toggle("tall", info.variants.some((/** @type {any} */ each) => each.chosen && each.height > each.width));
  const { signal } = card;
  if (poster) queryOf({ url: poster.url }).then((query) => signal.aborted || (page.poster.src = `/download?${query}`), () => undefined);
  fillQualities(info.variants);
  page.kinds.hidden = isFile || Boolean(info.silent);
  page.fits.hidden = isFile || !info.variants.some((/** @type {any} */ each) => each.estimated_bytes);
  page.part.hidden = isFile || !(info.seconds > 1);
  for (const each of [page.from, page.to]) each.max = String(Math.floor((info.seconds ?? 1) * 10) / 10);
  page.to.value = page.to.max;
  showPart();
  showReady();
  page.card.hidden = false;
}

/** @param {any} info */
function itemOf(info) {
  return info.items.find((/** @type {any} */ each) => each.chosen)?.item ?? 1;
}

/** @param {any[]} variants */
function fillQualities(variants) {
  /** @type {Map<number, number>} */
  const sizes = new Map();
  for (const each of variants.filter((each) => each.height)) {
    const side = Math.min(each.width, each.height);
    sizes.set(side, Math.max(sizes.get(side) ?? 0, each.estimated_bytes ?? 0));
  }
  const chosen = variants.find((each) => each.chosen && each.height); /* what it is said to be above */
  if (chosen) sizes.set(Math.min(chosen.width, chosen.height), chosen.estimated_bytes ?? 0);
  const sorted = [...sizes].sort(([a], [b]) => b - a);
  page.qualities.hidden = sorted.length < 2;
  fillChips(page.qualities, "quality", sorted.map(([side, bytes], index) => [index ? String(side) : "", `${side}p`, bytes ? make("small", {}, sizeText(bytes)) : ""]));
}

/** Fills a row of choices, the first of which is chosen. @param {any} row @param {string} name @param {[string, ...(Node | string)[]][]} choices values, and what they show */
function fillChips(row, name, choices) {
  row.lastElementChild.replaceChildren(...choices.map(([value, ...shows], index) =>
    make("label", {}, make("input", { type: "radio", name, value, defaultChecked: !index }), make("span", {}, ...shows))));
}

/** Shows the videos of a post, so that one can be chosen. @param {any[]} items */
function fillPicker(items) {
  page.picker.hidden = items.length < 2;
  page.pickerTitle.textContent = say("pick", { count: items.length });
  page.items.replaceChildren(...items.map((each) => {
    const button = make("button", { type: "button", "aria-current": String(each.chosen) }, make("span", { className: "thumb", "aria-hidden": "true" }, String(each.item)),
      make("span", {}, say("item", { number: each.item })), make("small", {}, each.seconds ? clockText(Math.round(each.seconds)) : ""));
    on(button, "click", async () => {
      if (shown) await look({ ...shown.link, item: String(each.item) });
      page.items.querySelector("[aria-current=true]")?.focus();
    });
    return button;
  }));
  if (items.length > 1) addThumbnails(items, card.signal);
}

/** Shows the first picture of each video in the picker, if the source gives ranges: one after another, so that the service has time for the person. */
async function addThumbnails(/** @type {any[]} */ items, /** @type {AbortSignal} */ signal) {
  for (const [index, { item }] of items.entries()) {
    const parameters = { ...shown?.link, item: String(item), height: "240", mute: "1" };
    const head = await ask("/download", parameters, { method: "HEAD", signal }).catch(() => null), query = head && (await queryOf(parameters));
    if (signal.aborted) return;
    if (head?.headers.get("Accept-Ranges") === "bytes") page.items.children[index].firstElementChild.replaceChildren(
      make("video", { muted: true, preload: "metadata", src: `/download?${query}#t=0.1`, tabIndex: -1, "aria-hidden": "true" }));
  }
}

/** Calls a function at each event of a name. */
function on(/** @type {EventTarget} */ target, /** @type {string} */ name, /** @type {(event: any) => any} */ listener, /** @type {AddEventListenerOptions} */ options = {}) {
  target.addEventListener(name, listener, options);
}

/** Returns a new element. @param {string} tag @param {Record<string, any>} properties @param {(Node | string)[]} children @returns {any} */
function make(tag, properties, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) name.includes("-") ? made.setAttribute(name, value) : Object.assign(made, { [name]: value });
  made.append(...children);
  return made;
}

/** Asks for the report again whenever something else is chosen, after a moment without changes. */
async function choicesChanged() {
  stopWatching();
  looking?.abort();
  dropKept();
  page.problem.hidden = true;
  if (!shown) return;
  showReady();
  page.summary.classList.add("stale");
  const { signal } = (looking = new AbortController());
  reporting = report(shown, signal);
  try {
    await reporting;
    looking = null;
    if (!saving) showStatus("");
  } catch (error) {
    if (signal.aborted) return;
    looking = reporting = null;
    if (saving) return; /* which says so itself */
    showProblem(error, choicesChanged);
    page.save.disabled = true;
  }
}

/** Has the card show what will be sent. @param {{info: any}} current @param {AbortSignal} signal */
async function report(current, signal) {
  await sleep(0.3, signal);
  const info = await documentOf(await ask("/info", chosen(), { signal, onBusy: showBusy }));
  signal.throwIfAborted();
  current.info = info;
  showSummary();
}

/** Shows where the part begins and ends. */
function showPart() {
  const { from, to, fromText, toText, span } = page, most = Number(to.max) || 1;
  [fromText.value, toText.value] = [from, to].map((each) => clockText(each.valueAsNumber));
  for (const each of [from, to]) each.setAttribute("aria-valuetext", clockText(each.valueAsNumber));
  for (const each of [fromText, toText]) each.removeAttribute("aria-invalid");
  from.classList.toggle("above", from.valueAsNumber > most / 2); /* where both meet at the end, only that one can be moved */
  span.setAttribute("x", String((1000 * from.valueAsNumber) / most));
  span.setAttribute("width", String((1000 * Math.max(0, to.valueAsNumber - from.valueAsNumber)) / most));
}

/** Keeps the handles in their order when one is moved. @param {any} moved */
function partMoved(moved) {
  const { from, to } = page;
  if (moved === from) from.value = String(Math.min(from.valueAsNumber, to.valueAsNumber - 0.5));
  else to.value = String(Math.max(to.valueAsNumber, from.valueAsNumber + 0.5));
  showPart();
}

/** Takes a typed time; an empty one is the beginning, or the end. @param {any} text @param {any} handle */
function partTyped(text, handle) {
  const { from, to, save, problem } = page, before = handle.value, isEmpty = !text.value.trim();
  const seconds = isEmpty ? Number(handle === to && to.max) : parseClock(text.value);
  if (seconds >= 0) handle.value = String(seconds);
  if (!(seconds >= 0 && from.valueAsNumber < to.valueAsNumber)) {
    handle.value = before;
    text.setAttribute("aria-invalid", "true");
    showProblem(new Problem("times"), null);
    save.disabled = true;
    return;
  }
  problem.hidden = true;
  showPart();
  choicesChanged();
}

/* ---- Saving ---- */

/** Shows one state of the lower part of the card: `ready`, `saving` or `done`. @param {string} state */
function showState(state) {
  for (const each of [page.box, page.picker, page.choices]) each.inert = state === "saving"; /* nothing is lost by a slip */
  page.progress.hidden = page.cancel.hidden = state !== "saving";
  page.save.hidden = page.copy.hidden = state === "saving";
  page.done.hidden = state !== "done";
  page.share.hidden = state !== "done" || !savedFile || !navigator.canShare?.({ files: [savedFile] });
  page.save.textContent = say(state === "done" && savedFile ? "save-again" : "save");
  page.save.classList.toggle("primary", state !== "done");
  page.share.classList.toggle("primary", state === "done");
  page.save.disabled = false;
}

function showReady() {
  savedFile = null;
  showState("ready");
  showSummary();
}

/** Shows what will be sent, and how long it takes. */
function showSummary() {
  page.summary.classList.remove("stale");
  const info = shown?.info, { start, format } = chosen();
  const variant = info.variants.find((/** @type {any} */ each) => each.chosen && each.height);
  const seconds = Math.round(info.estimated_seconds_on_lambda ?? 0);
  const kind = info.kind === "file" ? "other-file" : format ? "audio-file" : "video-file";
  page.summary.textContent = [say(kind), variant && !format && `${Math.min(variant.width, variant.height)}p`, info.seconds && clockText(Math.round(info.seconds)),
    info.estimated_bytes && say("about", { size: sizeText(info.estimated_bytes) }), seconds > 2 && say("takes", { time: waitText(seconds) })]
    .filter(Boolean).join(" · ") + (start && !format ? `\n${say("part-begins")}` : "");
}

/** @param {Progress} progress */
function showProgress({ bytes, total, speed }) {
  const percent = total ? Math.min(99, (100 * bytes) / total) : 0;
  if (total) page.bar.value = percent;
  page.progressText.textContent = [total ? say("percent", { percent: Math.floor(percent) }) : say("received", { size: sizeText(bytes) }),
    speed && say("speed", { speed: sizeText(speed) }), speed && total > bytes && say("left", { time: waitText((total - bytes) / speed) })]
    .filter(Boolean).join(" · ");
}

/** Fetches the file, checks it and hands it over, or goes on with what has failed. */
async function save() {
  const current = shown, abort = new AbortController(), { signal } = abort;
  if (!current || saving) return;
  saving = abort;
  page.problem.hidden = true;
  showState("saving");
  page.bar.removeAttribute("value");
  page.progressText.textContent = say("waiting");
  page.cancel.focus();
  let download = kept;
  kept = null;
  try {
    await Promise.race([(reporting ??= report(current, card.signal)), sleep(1e6, signal)]);
    download ??= await openDownload(current.info);
    signal.throwIfAborted();
    const made = await fetchFile(download, signal);
    if (!made) await finish(download, signal);
    saving = null;
    if (made) location.assign(made);
    if (made) showDone(say("handed-over"));
  } catch (error) {
    saving = null;
    if (signal.aborted || nameOf(error) === "AbortError") stopped(download);
    else saveFailed(error, download);
  }
}

/** @param {any} info */
async function openDownload(info) {
  const about = { isFile: info.kind === "file", estimate: info.estimated_bytes ?? 0 };
  const parameters = { ...chosen(), ...(isApple && !about.isFile && { layout: "plain" }) }; /* Photos take no other */
  return new Download(parameters, await openPlace(info.file_name, about.estimate), about, { onProgress: showProgress, onBusy: showBusy });
}

/** Fetches a file, or returns its address if the service has made it because one response cannot have it. Where there is no plain MP4, it is a stream. */
async function fetchFile(/** @type {Download} */ download, /** @type {AbortSignal} */ signal) {
  try {
    return await download.run(signal);
  } catch (error) {
    let last = error;
    if (slugOf(last) === "too-large" && !download.bytes) {
      page.progressText.textContent = say("making-start");
      const made = await makeFile(download.parameters, signal, showMaking).catch((error) => void (last = error));
      if (made) return made;
    }
    const { layout, ...rest } = download.parameters;
    if (!layout || download.bytes || !/^(too-large|no-storage|deadline)$/.test(slugOf(last))) throw last;
    download.parameters = rest;
    download.isStream = true;
    return download.run(signal);
  }
}

/** @param {number} percent */
function showMaking(percent) {
  page.bar.value = percent;
  page.progressText.textContent = say("making", { percent: Math.floor(percent) });
}

/** Hands over what is whole. @param {Download} download @param {AbortSignal} signal */
async function finish(download, signal) {
  page.progressText.textContent = say("checking");
  const file = await download.place.finish(download.type).catch((error) => {
    throw new Problem("no-space", String(error));
  });
  if (file) signal.throwIfAborted();
  savedFile = file;
  handOver(file);
  const text = !download.isChecked ? "saved-unchecked" : download.isStream ? "saved-stream" : isApple && file ? "ready-to-share" : "saved";
  showDone(say(text, { size: sizeText(download.bytes) }));
}

/** Forgets what can no longer go on. */
function dropKept() {
  kept?.place.discard().catch(() => undefined);
  kept = null;
}

/** @param {Download | null} download */
function stopped(download) {
  kept = download;
  dropKept();
  showReady();
  showStatus(say("stopped"));
  page.save.focus();
}

/** Offers to go on if what has arrived is still there, and else to start again. @param {unknown} error @param {Download | null} download */
function saveFailed(error, download) {
  const canResume = Boolean(download?.parts.length) && slugOf(error) !== "no-space"; /* what cannot be written can no longer be written to */
  kept = download;
  if (!canResume) dropKept();
  showReady();
  showProblem(error, save, canResume);
  page.retry.focus();
}

/** @param {string} text */
function showDone(text) {
  page.doneText.textContent = text;
  showState("done");
  (page.share.hidden ? page.save : page.share).focus();
}

/** Whether this is an iPhone or an iPad, where files are saved with the share sheet. */
const isApple = /iP(hone|ad|od)/.test(navigator.userAgent) || (navigator.maxTouchPoints > 1 && /Mac/.test(navigator.platform));

/** Lets the browser save a file that is whole. @param {File | null} file */
function handOver(file) {
  if (!file || (isApple && navigator.canShare?.({ files: [file] }))) return;
  const link = make("a", { href: URL.createObjectURL(file), download: file.name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 600_000); /* the browser may still be writing it */
}

/* ---- Messages ---- */

/** @param {string} text */
function showStatus(text) {
  page.status.textContent = text;
}

/** @param {number} seconds */
function showBusy(seconds) {
  (saving ? page.progressText : page.status).textContent = say("busy-wait", { seconds: Math.ceil(seconds) });
}

/** Says what went wrong, and what to do next. @param {any} error @param {(() => void) | null} again @param {boolean} [canResume] */
function showProblem(error, again, canResume = false) {
  const problem = error instanceof Problem ? error : new Problem("internal-error", String(error));
  const [says, advice] = words.errors[problem.slug];
  page.problemSays.textContent = says;
  page.problemDo.textContent = advice;
  page.problemDetail.textContent = [problem.detail, problem.request && say("request", { id: problem.request })].filter(Boolean).join(" · ");
  page.problemDetail.parentElement.hidden = !page.problemDetail.textContent;
  page.retry.textContent = say(canResume ? "resume" : "try-again");
  page.retry.hidden = !again;
  const go = (page.retry.onclick = () => {
    page.problem.hidden = true;
    again?.();
  });
  if (problem.slug === "offline") on(window, "online", () => page.problem.hidden || page.retry.onclick !== go || go(), { once: true });
  showStatus("");
  page.problem.hidden = false;
  page.problem.scrollIntoView({ block: "nearest" });
}

/* ---- The box ---- */

/** Returns the address in a text, or the text itself: the service finds addresses that have no scheme, or another. @param {string} text */
function addressIn(text) {
  return /https?:\/\/\S+/i.exec(text)?.[0] ?? text.trim();
}

/** Shows on the button what it does. */
function setButton() {
  const canPaste = !page.address.value && Boolean(navigator.clipboard?.readText), isLooking = Boolean(looking?.url);
  page.goWord.textContent = say(isLooking ? "looking" : canPaste ? "paste" : "show");
  page.go.classList.toggle("busy", isLooking);
  page.clear.hidden = !page.address.value;
}

/** Starts with what is in the box, or in the clipboard if the box is empty. */
async function start() {
  if (saving) return showStatus(say("saving-first"));
  if (!page.address.value.trim()) {
    const text = (await navigator.clipboard?.readText().catch(() => "")) ?? "";
    if (!/https?:\/\/|redd/i.test(text)) {
      page.address.focus();
      if (text) showProblem(new Problem("clipboard-empty"), null);
      return;
    }
    page.address.value = addressIn(text);
  }
  const url = page.address.value.trim();
  if (url !== looking?.url) await look({ url });
}

function clearBox() {
  closeCard();
  page.address.value = "";
  setButton();
  page.address.focus();
}

/** Takes a link from the address of the page, and takes it out of the history. */
function startWithAddress() {
  const hash = location.hash.slice(1), query = new URLSearchParams(location.search);
  const link = /^https?:/i.test(hash) ? hash : new URLSearchParams(hash).get("url") || (query.get("link") || query.get("text") || query.get("title"));
  if (!link) return;
  history.replaceState(null, "", location.pathname);
  page.address.value = addressIn(link);
  start();
}

/** @param {string} text */
async function copy(text) {
  const isCopied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
  page.copy.textContent = say(isCopied ? "copied" : "copy-failed");
  setTimeout(() => (page.copy.textContent = say("copy")), 2000);
}

function listen() {
  const { address, box, part } = page;
  box.noValidate = true;
  on(box, "submit", (event) => (event.preventDefault(), start()));
  on(address, "input", setButton);
  on(address, "paste", () => setTimeout(() => /^\S+$/.test(address.value) && start()));
  on(page.clear, "click", clearBox);
  on(document, "keydown", (event) => {
    if (event.repeat && event.target instanceof HTMLButtonElement) event.preventDefault(); /* a key that is held presses one button only */
    if (event.key !== "Escape" || document.fullscreenElement) return;
    saving ? saving.abort() : clearBox();
  });
  on(page.watch, "click", () => shown && watch(chosen(), shown.info, 0));
  on(page.poster, "load", () => {
    page.poster.hidden = !page.video.hidden;
    page.stage.classList.remove("blank");
  });
  on(page.video, "error", videoFailed);
  for (const handle of [page.from, page.to]) {
    const text = handle === page.from ? page.fromText : page.toText;
    on(handle, "input", () => partMoved(handle));
    on(text, "change", () => partTyped(text, handle));
  }
  on(page.choices, "change", (event) => /text/.test(event.target.type) || choicesChanged());
  on(page.choices, "submit", (event) => event.preventDefault());
  on(page.save, "click", () => (savedFile ? handOver(savedFile) : save()));
  on(page.cancel, "click", (event) => event.detail > 1 || saving?.abort()); /* a double click was for Save */
  on(page.share, "click", () => savedFile && navigator.share({ files: [savedFile] }).catch(() => undefined));
  on(page.copy, "click", () => copy(`${location.origin}${location.pathname}#${new URLSearchParams({ url: shown?.link.url ?? "" })}`));
  on(window, "hashchange", startWithAddress);
  on(window, "beforeunload", (event) => saving && event.preventDefault());
}

await loadWords();
fillChips(page.kinds, "kind", [["video", say("kind-video")], ["audio", say("kind-audio")], ["silent", say("kind-silent")]]);
fillChips(page.fits, "fit", [["", say("fit-any")], ...["8", "10", "25", "50"].map((each) => /** @type {[string, string]} */ ([`${each}MB`, `${each} MB`]))]);
listen();
setButton();
document.documentElement.dataset.ready = "yes";
startWithAddress();
removeLeftovers();
