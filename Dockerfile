# One image with the one program `hotdeal`; the first argument says what runs:
# `run` (everything, SQLite in /data), `product-service`, `order-service`, or a command of the command line.

# What names the dependencies, with empty sources. It changes rarely, so the layer below, which compiles them,
# is taken from the cache when only our own sources changed.
FROM rust:1.95.0-slim-bookworm AS manifests
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /src
COPY . .
RUN find . -type f ! -name Cargo.toml ! -name Cargo.lock ! -path '*/src/lib.rs' ! -path '*/src/main.rs' \
        ! -path '*/build.rs' ! -path '*/benches/*.rs' -delete \
    && find . -name '*.rs' | while read -r file; do echo 'fn main() {}' >"$file"; done \
    && find . -type d -empty -delete

FROM rust:1.95.0-slim-bookworm AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /src
COPY --from=manifests /src .
RUN cargo build --release --locked --package hotdeal
COPY . .
# The image has the pinned toolchain; the file would make rustup look for more components. The sources may be
# older than what was just made of their empty twins, and cargo goes by the time.
RUN rm -f rust-toolchain.toml \
    && find . -name '*.rs' -exec touch {} + \
    && cargo build --release --locked --package hotdeal

# The program, the libraries it is linked to, whom TLS trusts, and a user. There is no shell.
RUN mkdir -p /image/etc/ssl/certs /image/data /image/tmp \
    && install -D --strip target/release/hotdeal /image/usr/local/bin/hotdeal \
    && ldd target/release/hotdeal | grep -o '/lib[^ ]*' | xargs -I{} cp --dereference --parents {} /image \
    && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
    && echo 'hotdeal:x:65532:65532::/:' >/image/etc/passwd \
    && echo 'hotdeal:x:65532:' >/image/etc/group \
    && echo 'hosts: files dns' >/image/etc/nsswitch.conf \
    && install -D --mode=644 LICENSE /image/usr/share/doc/hotdeal/LICENSE \
    && chown 65532:65532 /image/data \
    && chmod 1777 /image/tmp

FROM scratch
COPY --from=build /image /
USER 65532:65532
# A container is reached from outside itself, so everything listens on every address, and a service refuses to
# start without the token that this takes. The ops port is the same whatever runs.
ENV HOTDEAL_HTTP_ADDR=0.0.0.0:8080 HOTDEAL_GRPC_ADDR=0.0.0.0:50051 HOTDEAL_OPS_ADDR=0.0.0.0:9100 \
    ORDER_HTTP_ADDR=0.0.0.0:8080 ORDER_OPS_ADDR=0.0.0.0:9100 \
    PRODUCT_HTTP_ADDR=0.0.0.0:8081 PRODUCT_GRPC_ADDR=0.0.0.0:50051 PRODUCT_OPS_ADDR=0.0.0.0:9100 \
    HOTDEAL_DATA_DIR=/data LOG_FORMAT=json
EXPOSE 8080 8081 9100 50051
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s CMD ["/usr/local/bin/hotdeal", "health"]
ENTRYPOINT ["/usr/local/bin/hotdeal"]
CMD ["run"]
