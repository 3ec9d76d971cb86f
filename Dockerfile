# syntax=docker/dockerfile:1
#
# docker build -t jwt-vs-session .
# docker run --rm -p 127.0.0.1:5000:5000 -e DEMO=true jwt-vs-session
#
# With Redis and PostgreSQL beside it: `docker compose up`.

FROM rust:1.95.0-slim-trixie AS build
WORKDIR /build

# .dockerignore says which files come along. tests/image.rs fails when the build needs another one.
COPY . .

# The cache mounts keep the compiled dependencies from one build to the next. Two builds must not write
# to them at once: the file with which cargo locks its registry lies outside of the mount.
# cargo compares times, and the sources of another clone may be older than what the last build left
# here: `cargo clean` removes that, for this package alone.
# A mount is no part of the layer: `install` copies the program out of it.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/build/target,id=jwt-vs-session-target,sharing=locked \
    cargo clean --release --locked --package jwt-vs-session \
    && cargo build --release --locked --bin jwt-vs-session \
    && install target/release/jwt-vs-session /usr/local/bin/


FROM debian:13.6-slim

# For a Redis or a PostgreSQL behind TLS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /usr/local/bin/jwt-vs-session /usr/local/bin/

# The SQLite database and the keys lie in the working directory, the one place the server may write to.
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /data server \
    && install --directory --owner=server --group=server --mode=0700 /data
USER 10001:10001
WORKDIR /data
VOLUME /data

ENV LISTEN=0.0.0.0:5000
EXPOSE 5000

# /healthz touches no store: this says that the process serves, not that Redis is there.
# bash speaks TCP by itself, so that the image needs no curl.
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
    CMD ["bash", "-c", "exec 3<>\"/dev/tcp/127.0.0.1/${LISTEN##*:}\" && printf 'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && cat <&3 > /dev/null && [[ $status == 200 ]]"]

ENTRYPOINT ["jwt-vs-session"]
