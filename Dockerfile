# The worker, and the command line with it. Built in one stage, run in another without a compiler or a package cache.
FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
COPY workflows ./workflows
COPY activities ./activities
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:20.20.2-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY policies ./policies
COPY bin ./bin
COPY docker/worker-health.mjs ./docker/
# The store and the evidence are the worker's own: a new volume takes over this owner.
RUN mkdir -p /var/lib/tenure && chown node:node /var/lib/tenure && chmod 700 /var/lib/tenure
USER node
VOLUME /var/lib/tenure
HEALTHCHECK --interval=30s --timeout=15s --start-period=30s --retries=3 CMD ["node", "docker/worker-health.mjs"]
ENTRYPOINT ["node", "bin/tenure.mjs"]
CMD ["worker", "--config", "/etc/tenure/tenure.yaml"]
