# The service as an image. Build it from source, which needs the build image:
#   docker build -t revolve .
# or around a binary that was built on this machine, for an engine without a registry:
#   cargo xtask release
#   docker build -t revolve --target prebuilt --build-arg BINARY=target/release/revolve --build-arg BASE_IMAGE=… .
# Only classic instructions are used, so that every builder can read this file.

# Must hold a C library at least as new as the one that the binary was built with.
ARG BASE_IMAGE=debian:bookworm-slim
ARG BUILD_IMAGE=rust:1.95-bookworm

FROM ${BASE_IMAGE} AS base
# OpenSSL's library and the certificates, unless the base brings them, and a place for the embedded store.
RUN if command -v apt-get >/dev/null; then \
      apt-get update && apt-get install -y --no-install-recommends ca-certificates libssl3 && rm -rf /var/lib/apt/lists/*; \
    fi; \
    mkdir -p /var/lib/revolve && chown 10001:10001 /var/lib/revolve
ENV REVOLVE__HTTP__LISTEN=0.0.0.0:8080 \
    REVOLVE__DATA_DIR=/var/lib/revolve
# Where the service looks for config/.
WORKDIR /etc/revolve
COPY config config
# By number, since the base need not know the user.
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["/usr/local/bin/revolve", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/revolve"]

# Stands before the build, since the classic builder makes all stages up to the one it is asked for; and its default is a file that is
# always there, since that builder makes this stage for the last one, too.
FROM base AS prebuilt
ARG BINARY=Cargo.toml
COPY ${BINARY} /usr/local/bin/revolve

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
# Without rust-toolchain.toml: the image is the toolchain, and needs no lints.
COPY Cargo.toml Cargo.lock ./
COPY crates crates
COPY examples examples
COPY xtask xtask

# For `revolve --version`.
ARG REVOLVE_COMMIT=
RUN cargo build --release --locked -p revolve

FROM base AS final
COPY --from=build /src/target/release/revolve /usr/local/bin/revolve
