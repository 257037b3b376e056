export {
  createClient,
  type ClientOptions,
  type RevolveClient,
  type SignedUp,
} from "./client.js";
export type { ClientEvents } from "./events.js";
export { RevolveError, type ClientCode } from "./problem.js";
export type { AuthenticationChallenge, Reauthenticator } from "./challenge.js";
export type { State, TokenStore } from "./store.js";
export type * from "./api.js";
