# The image of one program: one image runs every stage, source and command of it.
#
#   docker build -t orders .                                  the example orders
#   docker build -t mine --build-arg PROGRAM=./cmd/mine .     another one
FROM golang:1.26-alpine AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG PROGRAM=./examples/orders
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /program "$PROGRAM"

# Alpine has certificates and a user of no rights, and wget for health checks.
FROM alpine:3.22
COPY --from=build /program /usr/local/bin/program
USER nobody
ENTRYPOINT ["/usr/local/bin/program"]
