# One image for every command of b2b; without one it runs all services on SQLite.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY . .
# Of a release: --build-arg VERSION=1.4.0. Without it the program knows its commit, from .git.
ARG VERSION
# The build runs on the machine's own architecture, and compiles for the one of --platform.
ARG TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOARCH=$TARGETARCH go build -trimpath -tags nomsgpack -ldflags "-s -w -X example.com/b2b/v2/internal/buildinfo.version=$VERSION" -o bin/b2b ./cmd/b2b && \
    mkdir -p bin/root/home/b2b/data bin/root/data bin/root/tmp && chmod 1777 bin/root/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
# The folders that may be written: for a database, and for the files of imports. A named volume gets the owner of its folder, and a tmpfs
# on /tmp its mode.
COPY --from=build --chown=65532:65532 /src/bin/root /
USER 65532:65532
WORKDIR /home/b2b
COPY --from=build /src/bin/b2b /usr/local/bin/b2b
# Nothing reaches a container by its loopback.
ENV BIND_ADDRESS=0.0.0.0
# Near this size of its memory, Go collects garbage more often: the manifests and docker-compose.yml allow 512 MiB.
ENV GOMEMLIMIT=400MiB
EXPOSE 3001 3002 3003 3000
# The first start may migrate for a minute.
HEALTHCHECK --interval=5s --timeout=20s --start-period=90s CMD ["/usr/local/bin/b2b", "health"]
ENTRYPOINT ["/usr/local/bin/b2b"]
