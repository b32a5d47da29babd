# syntax=docker/dockerfile:1
# The front: nginx with the studio's files and the merged OpenAPI document.
# docker build -f deploy/front.Dockerfile -t millrace/front .
ARG NODE_IMAGE=node:20.20-bookworm-slim
ARG NGINX_IMAGE=nginxinc/nginx-unprivileged:1.28-bookworm

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY . .
RUN npm ci --no-audit --no-fund
WORKDIR /src/apps/studio
RUN npx --no-install vite build

FROM ${NGINX_IMAGE}
LABEL org.opencontainers.image.title="millrace-front" \
  org.opencontainers.image.licenses="MIT"
# The image's entrypoint fills ${...} from the environment and writes the result to conf.d, which has to be writable.
COPY deploy/nginx/front.conf.template /etc/nginx/templates/default.conf.template
COPY --from=build /src/apps/studio/dist /usr/share/millrace/studio
COPY docs/generated/openapi.json /usr/share/millrace/openapi.json
ENV FRONT_LISTEN=8080 \
  STUDIO_DIR=/usr/share/millrace/studio \
  OPENAPI_FILE=/usr/share/millrace/openapi.json
USER 101:101
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 \
  CMD ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:8080/healthz"]
STOPSIGNAL SIGQUIT
