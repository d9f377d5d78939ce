# Build: docker build -t mlops-task .
# Run:   docker run --rm mlops-task
# Any command of the README can stand behind the image's name, so other flags are given as
#        docker run --rm -v "$PWD:/data" mlops-task \
#            rollsignal run --input /data/bars.csv --output /data/metrics.json --log-file /data/run.log
#        With --build-arg EXTRAS="otel delta" it has more, and with
#        --build-arg REVISION="$(git rev-parse HEAD)" a label that says what it was built from.
FROM python:3.13-slim

WORKDIR /app

# A layer of its own: it is built anew only when a lock changes. Wheels only, so that no package
# runs code of its own while it is installed. With what reads s3:// and https://; each of EXTRAS has
# a lock. The packages' own tests are 60 MB, and nothing runs them here.
COPY requirements-*.txt ./
ARG EXTRAS=
RUN for extra in $EXTRAS; do set -- "$@" -r "requirements-$extra.txt"; done \
    && pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
        --only-binary=:all: --require-hashes -r requirements-remote.txt "$@" \
    && rm requirements-*.txt \
    && find "$(python -c 'import sysconfig; print(sysconfig.get_path("platlib"))')" \
        -name tests -type d -prune -exec rm -r {} +

COPY LICENSE run.py config.yaml data.csv ./
COPY rollsignal/ rollsignal/

# Bytecode is compiled here because the job may not write it later. Like /tmp, the folder takes new
# files from any user, while the program and the data in it stay root's, and readable whatever the
# umask of the checkout was. The command needs no installation, which would run code of its own.
RUN python -m compileall -q --invalidation-mode unchecked-hash rollsignal \
    && chmod -R a+rX . \
    && chmod 1777 . \
    && printf '#!/bin/sh\nexec python -m rollsignal "$@"\n' > /usr/local/bin/rollsignal \
    && chmod 755 /usr/local/bin/rollsignal

# A volume, so that the outputs have a place even under `docker run --read-only`.
VOLUME ["/app"]

ENV PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

USER 10001:10001

# At the end, so that another revision changes no layer above.
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="rollsignal" \
      org.opencontainers.image.description="Exact rolling-mean signal from OHLCV bars" \
      org.opencontainers.image.licenses="Apache-2.0 AND MIT" \
      org.opencontainers.image.source="https://github.com/rollsignal/rollsignal" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"

# No shell in between: the job is process 1, hears SIGTERM itself, and its exit code is the container's.
CMD ["python", "run.py", "--input", "data.csv", "--config", "config.yaml", "--output", "metrics.json", "--log-file", "run.log"]
