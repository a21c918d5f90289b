# The same two commands as on any machine: make build, make test. docs/orchestrators.md says how it is run.
FROM python:3.11-slim-bookworm AS runtime
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home warehouse \
    && mkdir /data /srv/warehouse \
    && chown warehouse: /data /srv/warehouse
USER warehouse
WORKDIR /srv/warehouse
COPY --chown=warehouse requirements.lock Makefile ./
RUN make .venv/runtime.stamp
COPY --chown=warehouse . .
RUN cp profiles.example.yml profiles.yml
ENV WAREHOUSE_DUCKDB=/data/warehouse.duckdb PATH=/srv/warehouse/.venv/bin:$PATH
VOLUME /data
CMD ["make", "build"]

FROM runtime AS dev
RUN make .venv/dev.stamp
CMD ["make", "test"]

FROM runtime
