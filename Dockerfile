# Two images from one build: a static binary and the CA certificates on an empty file system, without root.
#
#   docker build --target api -t punctual-api .
#   docker build --target worker -t punctual-worker .
#
# Any image with this Rust version, a C compiler and CA certificates can replace the official one.
ARG RUST_IMAGE=rust:1.95-bookworm

FROM ${RUST_IMAGE} AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    programs=$(deploy/build punctual-api punctual-worker) \
    && mkdir -p /out/keys \
    && cp $programs /etc/ssl/certs/ca-certificates.crt /out/

FROM scratch AS base
COPY --from=build /out/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
# A new volume mounted here takes this folder's owner, so that keys can be written without root.
COPY --from=build --chown=65532:65532 /out/keys /keys
USER 65532:65532
STOPSIGNAL SIGTERM

FROM base AS worker
COPY --from=build /out/punctual-worker /punctual-worker
# For Prometheus in the containers' network.
ENV PUNCTUAL_WORKER_METRICS_LISTEN=0.0.0.0:9091
EXPOSE 9091
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s CMD ["/punctual-worker", "healthcheck"]
ENTRYPOINT ["/punctual-worker"]

FROM base AS api
COPY --from=build /out/punctual-api /punctual-api
ENV PUNCTUAL_API_METRICS_LISTEN=0.0.0.0:9090
EXPOSE 8080 9090
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s CMD ["/punctual-api", "healthcheck"]
ENTRYPOINT ["/punctual-api"]
