# `transcoder serve` in a container, for those who host it without AWS: docs/operating.md, "Without AWS".
FROM python:3.13-slim-bookworm

# The function's processes do not look for modules where they are started.
ENV PYTHONPATH=/app PYTHONUNBUFFERED=1
WORKDIR /app

# ffmpeg is in one of these packages.
COPY requirements/run.txt ./
RUN python -m pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore --require-hashes -r run.txt

COPY transcoder ./transcoder
RUN python -m compileall -q transcoder && useradd --no-create-home --uid 10001 transcoder

USER 10001
EXPOSE 9000
# 429: it is as busy as it may be, which is no illness. Without httpx it takes a third of the processor time. It reads the whole response:
# with --stop-on-disconnect, a client that leaves before its end stops the runtime.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
	CMD ["python", "-c", "import sys, http.client; c = http.client.HTTPConnection('127.0.0.1', 9000, timeout=4); c.request('GET', '/health'); \
r = c.getresponse(); r.read(); sys.exit(r.status not in {200, 429})"]

ENTRYPOINT ["python", "-m", "transcoder"]
CMD ["serve", "--host", "0.0.0.0", "--port", "9000", "--stop-on-disconnect", "--log", "json"]
