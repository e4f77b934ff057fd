# The same scripts and package lists as on a developer's machine, in two stages: one compiles, the
# other holds the program, the libraries it needs and nothing else.
FROM debian:12-slim AS build
WORKDIR /src
COPY dev ./
COPY packages packages
RUN ./dev setup build
COPY . .
RUN ./dev build release && cmake --install build/release --prefix /opt/lucida --strip

FROM debian:12-slim
WORKDIR /src
COPY dev ./
COPY packages packages
RUN ./dev setup run && rm -rf /src /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/lucida --shell /usr/sbin/nologin lucida \
    && install -d -o lucida -g lucida /var/lib/lucida /var/lib/lucida/models /var/lib/lucida/data
COPY --from=build /opt/lucida /usr/local
WORKDIR /var/lib/lucida
USER lucida
ENV LUCIDA_MODELS=/var/lib/lucida/models LUCIDA_DATA=/var/lib/lucida/data
VOLUME ["/var/lib/lucida/models", "/var/lib/lucida/data"]
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["lucida", "health", "--listen", "127.0.0.1:8080"]
ENTRYPOINT ["lucida"]
# Inside a container every address is another machine's: who may connect is decided by what is
# published, and docker-compose.yml publishes to this machine alone.
CMD ["serve", "--listen", "0.0.0.0:8080", "--insecure"]
