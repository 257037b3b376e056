import type { Session } from "./api.js";
import { RevolveError } from "./problem.js";

/** A session as it is kept. Times are milliseconds on this device's clock. */
export interface KeptSession {
  session: Session;
  idToken: string;
  /** When the tokens came. */
  receivedAt: number;
  /** When to refresh. */
  refreshAt: number;
  /** When the ID token expires. */
  expiresAt: number;
  /** Not in cookie mode. */
  refreshToken?: string;
  /** The device credential; a browser has it in a cookie instead. */
  device?: string;
}

/** What a store keeps. Treat it as opaque, and as secret: it has tokens. It can be written as JSON. */
export interface State {
  session?: KeptSession;
  /** Device credentials by account, the newest first. They outlive their sessions. */
  devices?: [account: string, credential: string][];
  /** Who refreshes now, where there are no Web Locks. */
  lease?: { by: string; until: number };
}

/** Where tokens are kept. Write your own to keep them in a file, or in the secure storage of a phone. */
export interface TokenStore {
  /**
   * Replaces what is kept by what `change` makes of it, as one step, and returns that once it is kept. At first there is `{}`. If
   * `change` returns its argument there is nothing to write. It may be called more than once.
   */
  update(change: (state: State) => State): Promise<State>;
}

export function memoryStore(): TokenStore {
  let state: State = {};
  return {
    async update(change) {
      state = change(state);
      return state;
    },
  };
}

const DATABASE = "revolve";
const TABLE = "clients";

/**
 * In IndexedDB, which tabs and workers share: unlike `localStorage`, where a tab may read what was there before another tab has written.
 * Where the browser has none for this page, in memory.
 */
export function sharedStore(key: string): TokenStore {
  let opened: Promise<IDBDatabase> | undefined;
  let hasOpened = false;
  let instead: TokenStore | undefined;

  const open = async () => {
    const database = await openDatabase();
    hasOpened = true;
    const forget = () => {
      opened = undefined;
    };
    database.onclose = forget;
    database.onversionchange = () => {
      database.close();
      forget();
    };
    return database;
  };

  return {
    async update(change) {
      for (let isAgain = false; !instead; isAgain = true) {
        try {
          return await step(await (opened ??= open()), key, change);
        } catch (cause) {
          opened = undefined;
          if (!hasOpened) {
            instead = memoryStore();
          } else if (isAgain) {
            const message = "The browser could not keep the tokens.";
            throw new RevolveError("storage_failed", message, { cause });
          }
          // Browsers close the connections of pages that sleep: once more, with a new one.
        }
      }
      return instead.update(change);
    },
  };
}

function openDatabase(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function step(
  database: IDBDatabase,
  key: string,
  change: (state: State) => State,
): Promise<State> {
  return new Promise((resolve, reject) => {
    // Strict: a power failure must not bring back a token that was replaced.
    const transaction = database.transaction(TABLE, "readwrite", {
      durability: "strict",
    });
    const table = transaction.objectStore(TABLE);
    let kept: State;
    const got = table.get(key);
    got.onsuccess = () => {
      const state: State = got.result ?? {};
      kept = change(state);
      if (kept !== state) table.put(kept, key);
    };
    transaction.oncomplete = () => resolve(kept);
    transaction.onabort = () => reject(transaction.error);
  });
}
