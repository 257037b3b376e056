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
  let channel: BroadcastChannel | undefined;
  try {
    channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }: MessageEvent<Message>) => hear(data);
    // Node would stay alive for it.
    (channel as { unref?: () => void }).unref?.();
  } catch {
    // There is none, or not for this page.
  }
  const onStorage = ({ key, newValue }: StorageEvent) => {
    if (key === name && newValue) hear(JSON.parse(newValue));
  };
  if (!channel) globalThis.addEventListener?.("storage", onStorage);
  return {
    tell(message) {
      try {
        if (channel) return channel.postMessage(message);
        localStorage.setItem(name, JSON.stringify(message));
        // The same message again would be no change.
        localStorage.removeItem(name);
      } catch {
        // It is closed, or there is no storage here: the others look at the store before they use a token.
      }
    },
    close() {
      channel?.close();
      globalThis.removeEventListener?.("storage", onStorage);
    },
  };
}
