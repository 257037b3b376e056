import { randomUUID } from "node:crypto";
import { createClient } from "../../dist/index.js";
import { Front } from "./front.mjs";
import { startService } from "./service.mjs";

export const PASSWORD = "correct horse battery";

/** A service behind a front, and a page of another origin that may use it. Passkeys need the `host` to be `localhost`. */
export async function open(settings = {}, host) {
  const [front, page] = await Promise.all([Front.open(host), Front.open(host)]);
  const closeFronts = () => {
    front.close();
    page.close();
  };
  try {
    const service = await startService({
      TOKENS__ISSUER: front.url,
      HTTP__CORS_ORIGINS: page.url,
      ...settings,
    });
    front.leadTo(service.url);
    return {
      front,
      page,
      service,
      async close() {
        closeFronts();
        await service.stop();
      },
    };
  } catch (error) {
    // The process would stay alive for them.
    closeFronts();
    throw error;
  }
}

/** Another person's address each time. */
export const address = () => `ann-${randomUUID()}@example.org`;

/** A client in memory that gives up soon. */
export function clientOf({ front }, options = {}) {
  return createClient({
    url: front.url,
    tokens: "memory",
    patience: 0,
    ...options,
  });
}

/** A client of somebody new who is signed in, and her address. */
export async function signedUp(world, options) {
  const client = clientOf(world, options);
  const email = address();
  const { session } = await client.signUp({ email, password: PASSWORD });
  return { client, email, session };
}

/** A store in memory that several clients share, as tabs do. */
export function sharedMemory() {
  const store = {
    state: {},
    async update(change) {
      store.state = change(store.state);
      return store.state;
    },
  };
  return store;
}

/** What a client tells, in order. */
export function eventsOf(client) {
  const events = [];
  for (const event of ["signed-in", "signed-out", "refreshed"]) {
    client.on(event, (detail) =>
      events.push(event === "signed-out" ? `${event} ${detail}` : event),
    );
  }
  return events;
}

/** The promise's error. */
export const errorOf = (promise) =>
  promise.then(
    () => undefined,
    (error) => error,
  );
