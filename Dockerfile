# Both services in one image; the command says which one runs.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# The image has the pinned toolchain already; the file would make rustup look for more components.
RUN rm -f rust-toolchain.toml \
    && cargo build --release --locked --package product-service --package order-service

FROM debian:bookworm-slim
RUN useradd --system --no-create-home --shell /usr/sbin/nologin hotdeal
COPY --from=build /src/target/release/product-service /src/target/release/order-service /usr/local/bin/
COPY LICENSE /usr/share/doc/hotdeal/LICENSE
USER hotdeal
CMD ["order-service"]
