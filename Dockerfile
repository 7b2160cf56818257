# docker build -t kabar .
# docker run -d --name kabar -p 8889:8889 -p 8890:8890 -p 8080:8080 -v kabar:/var/lib/kabar --read-only --cap-drop ALL kabar
#
# The ports are published on all addresses of the host, without encryption: docs/OPERATING.md tells how to have TLS.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
RUN useradd --system --user-group --home-dir /var/lib/kabar --no-create-home --uid 8889 kabar \
    && install -d -o kabar -g kabar -m 0700 /var/lib/kabar /var/backups/kabar
COPY --from=build /src/target/release/kabar /usr/bin/kabar
USER kabar
WORKDIR /var/lib/kabar
VOLUME /var/lib/kabar /var/backups/kabar
# In a container, loopback is reached by nobody else; which addresses of the host lead here, `docker run -p` says.
ENV KABAR_SERVER__DATA=/var/lib/kabar \
    KABAR_SERVER__LISTEN=0.0.0.0:8889 \
    KABAR_SERVER__LISTEN_TEXT=0.0.0.0:8890 \
    KABAR_SERVER__WEB=0.0.0.0:8080 \
    KABAR_METRICS__LISTEN=127.0.0.1:8891 \
    KABAR_LOG__FORMAT=json
EXPOSE 8889 8890 8080
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["kabar", "health"]
ENTRYPOINT ["kabar"]
CMD ["serve"]
