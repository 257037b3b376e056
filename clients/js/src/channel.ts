import type { Session } from "./api.js";

/** What tabs and workers tell each other; never a token. */
export type Message =
  | { event: "signed-in" | "refreshed"; detail: Session }
  | { event: "signed-out"; detail: string }
  /** Another one may refresh now. */
  | { event: "released"; detail?: undefined };

export interface Channel {
  /** To all others; not to this one. */
  tell(message: Message): void;
  close(): void;
}

/** By `BroadcastChannel`, or storage events where there is none. */
export function openChannel(
  name: string,
  hear: (message: Message) => void,
): Channel {
  if (typeof BroadcastChannel === "function") {
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }: MessageEvent<Message>) => hear(data);
    // Node would stay alive for it.
    (channel as { unref?: () => void }).unref?.();
    return {
      tell: (message) => channel.postMessage(message),
      close: () => channel.close(),
    };
  }
  const onStorage = ({ key, newValue }: StorageEvent) => {
    if (key === name && newValue) hear(JSON.parse(newValue));
  };
  globalThis.addEventListener?.("storage", onStorage);
  return {
    tell(message) {
      try {
        localStorage.setItem(name, JSON.stringify(message));
        // The same message again would be no change.
        localStorage.removeItem(name);
      } catch {
        // There is no storage here: the others look at the store before they use a token.
      }
    },
    close: () => globalThis.removeEventListener?.("storage", onStorage),
  };
}
