# One node. Everything that it keeps is in /data; `docs/couchdb.md` and compose.yaml show it beside a CouchDB.
FROM node:24-slim
ENV NODE_ENV=production HYPERACTIVE_DATA=/data HYPERACTIVE_PEERS=/data/peers.yaml HYPERACTIVE_HOST=0.0.0.0
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev && npm cache clean --force
COPY . .
RUN ln -s /app/src/main.ts /usr/local/bin/hyperactive && chmod +x src/main.ts && mkdir /data && chown node /data
USER node
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD node -e "fetch('http://127.0.0.1:8080/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"
CMD ["hyperactive", "start"]
