// The types of the account API. Written from docs/openapi.json by `npm run types`.

/** All that is stored about an account. */
export interface AccountExport {
  account: ExportedAccount;
  /** What waits for a factor, the newest first; each for some minutes. */
  challenges: ExportedChallenge[];
  /** The devices that the account has signed in on within a year, the latest first. */
  devices: ExportedDevice[];
  /** When it was read; the journal may be younger. */
  exportedAt: Instant;
  factors: ExportedFactors;
  /** What happened, the newest first. It has to be the last member. */
  journal: ExportedEntry[];
  /** Mails that were not sent yet, or were given up, the newest first. */
  mails: ExportedMail[];
  /** What mails can be answered with, the newest first, without codes and links. */
  proofs: ExportedProof[];
  /** Of which kinds a mailbox gets no notice for a while, because one was sent. */
  quietNotices: ExportedQuiet[];
  /** The sessions, the newest first. Ended ones are forgotten some days after their end. */
  sessions: ExportedSession[];
}

/** A page of what happened to the account. */
export interface Activity {
  /** The newest first. */
  entries: ActivityEntry[];
  /** What `after` has to be for the next page; null on the last one. */
  next: string | null;
}

/** Something that happened. */
export interface ActivityEntry {
  actor: "user" | "operator" | "system" | "stranger";
  /** Where the request came from. */
  address: string | null;
  /** When. */
  at: Instant;
  /** Which fields of the account were changed. */
  changed?: string[];
  /** How often it happened within the minute. */
  count: number;
  /** What the sign-in called the device, otherwise what its client calls itself. */
  device: string | null;
  /** What happened, as a stable code. There may be new ones: show those that you do not know by their code. */
  event: string;
  id: string;
  /** Why a session ended. */
  reason?: string;
  /** The session, as in the list of sessions. */
  session: string | null;
}

/** A passkey was added. */
export interface AddedPasskey {
  passkey: Passkey;
  /** Recovery codes of the account, each of which stands in for a factor once. They are not shown again: show them to the user. */
  recoveryCodes?: string[];
}

/** A session has begun. */
export interface Begun {
  device: NewDevice;
  /** What verifies the address, with the code of the mail that is under way; only where a sign-up asks for that. */
  proof?: Proof;
  /** Recovery codes of the account, each of which stands in for a factor once. They are not shown again: show them to the user. */
  recoveryCodes?: string[];
  session: Session;
  tokens: Tokens;
}

/** What to change. */
export interface Details {
  /** Needed with `email`, unless there is a reauthentication; checked with `email` whenever it is sent. `too_long` */
  currentPassword?: string;
  /** An e-mail address, kept as it was typed, in NFC, without the white space around it, in at most 254 bytes. The same mailbox in another spelling (case, quotes, a domain in Unicode or in ASCII) is the same address. `invalid_email`, `too_long` */
  email?: string | null;
  /** A picture. Its host is neither this machine nor in a private network. */
  imageUrl?: string | null;
  /** The language of the mails. */
  locale?: string | null;
  /** The name to show. */
  name?: string | null;
  /** A home page. */
  website?: string | null;
}

/** The device of a session. */
export interface Device {
  /** Whether the session is refused without the device's credential. */
  bound: boolean;
  /** The device. */
  id: string;
  /** What the sign-in called it. */
  name: string | null;
  /** What the client calls itself, in words. */
  userAgent: string | null;
}

/** The proof. */
export interface EmailConfirmation {
  /** The six digits of the mail; spaces do not count. Needed unless there is `secret`. `invalid_code` */
  code?: string;
  /** `proof.id` of the request. `invalid_id` */
  proof: string;
  /** The secret of the mail's link, instead of `code`. It counts only where the mail was asked for: with the cookie that the request set, or the device credential that it showed. `too_long` */
  secret?: string;
}

/** The proof. */
export interface EmailDisownment {
  /** The six digits of the mail; spaces do not count. Needed unless there is `secret`. `invalid_code` */
  code?: string;
  /** `proof.id` of the request. `invalid_id` */
  proof: string;
  /** The secret of the mail's link, instead of `code`. It counts only where the mail was asked for: with the cookie that the request set, or the device credential that it showed. `too_long` */
  secret?: string;
}

/** The account itself. */
export interface ExportedAccount {
  /** What the operators' applications keep with the account, as in the claim `app`. */
  app: Record<string, unknown>;
  createdAt: Instant;
  /** When an operator disabled it. */
  disabledAt: string | null;
  /** The address to sign in with. */
  email: string;
  /** When its owner last proved to read that mailbox, if ever. */
  emailVerifiedAt: string | null;
  imageUrl: string | null;
  /** The language of the mails, as a tag (RFC 5646). */
  locale: string | null;
  name: string | null;
  /** What operators let the account do, as in the claim `roles`. */
  roles: string[];
  /** How often all of its sessions were ended at once. */
  sessionEpoch: number;
  /** The account, as in the claim `sub`. */
  uid: string;
  /** Rises with each change of what is above. */
  version: number;
  website: string | null;
}

/** A sign-in or a ceremony of a passkey that waits for its second half. */
export interface ExportedChallenge {
  /** How often something can still be tried. */
  attemptsLeft: number;
  createdAt: Instant;
  /** The device that is signed in on, and whether it was known before. */
  device: string | null;
  deviceKnown: boolean | null;
  /** What the sign-in calls the device. */
  deviceName: string | null;
  expiresAt: Instant;
  /** What it is for. */
  kind: string;
  /** What was proved already (RFC 8176). */
  proved: string[];
  /** The session that asks, unless it is a sign-in. */
  session: string | null;
}

/** Recovery codes. */
export interface ExportedCodes {
  createdAt: Instant;
  /** How many were not used yet. */
  left: number;
}

/** A device. */
export interface ExportedDevice {
  id: string;
  /** The last sign-in on it. */
  signedInAt: Instant;
}

/** Something that happened. */
export interface ExportedEntry {
  actor: "user" | "operator" | "system" | "stranger";
  /** Where the request came from. */
  address: string | null;
  at: Instant;
  /** How often it happened within the minute. */
  count: number;
  /** What else it says. */
  details: Record<string, unknown>;
  device: string | null;
  /** What happened, as a stable code. */
  event: string;
  id: string;
  session: string | null;
  /** Where the session began. */
  sessionAddress: string | null;
}

/** What proves who the user is besides a password. */
export interface ExportedFactors {
  /** The oldest first, without their public keys. */
  passkeys: ExportedPasskey[];
  recoveryCodes: ExportedCodes | null;
  reset: ExportedReset | null;
  totp: ExportedTotp | null;
}

/** A mail. */
export interface ExportedMail {
  /** What it tells of the request that caused it: when that was, where it came from, its client, and what else the mail shows. */
  about: string | null;
  address: string | null;
  /** How often it was tried. */
  attempts: number;
  client: string | null;
  createdAt: Instant;
  /** When it was or is to be sent first. */
  dueAt: Instant;
  expiresAt: Instant;
  kind: string;
  /** Why the last attempt failed. */
  lastError: string | null;
  /** The language of the mail. */
  locale: string | null;
  /** How many more mails of the kind it stands for. */
  more: number;
  /** When it is tried next; once it was given up, when it is forgotten. */
  nextAt: Instant;
  /** Whether it waits or was given up. */
  state: string;
  subject: string | null;
  to: string;
}

/** A passkey. */
export interface ExportedPasskey {
  /** The model of its authenticator; all zeros where that does not say. */
  aaguid: string;
  /** The algorithm of its signatures (COSE). */
  algorithm: number;
  backedUp: boolean;
  /** Whether it may be copied to other devices of the user, and was. */
  backupEligible: boolean;
  /** The signature counter that was shown last. */
  counter: number;
  createdAt: Instant;
  /** The id that its authenticator has chosen, in base64url. */
  credentialId: string;
  id: string;
  name: string;
  /** How its authenticator can be reached (`AuthenticatorTransport`, WebAuthn). */
  transports: string[];
  usedAt: string | null;
}

/** Something that a mail can be answered with. */
export interface ExportedProof {
  /** How many codes can still be tried. */
  attemptsLeft: number;
  createdAt: Instant;
  /** The mailbox that it proves. */
  email: string;
  expiresAt: Instant;
  /** The language of the mail. */
  locale: string | null;
  purpose: string;
}

/** A pause of notices. */
export interface ExportedQuiet {
  kind: string;
  to: string;
  until: Instant;
}

/** A reset that waits. */
export interface ExportedReset {
  /** From when on it counts, unless the owner stops it. */
  dueAt: Instant;
  orderedAt: Instant;
}

/** A session. */
export interface ExportedSession {
  /** Where the sign-in came from. */
  address: string | null;
  /** How the user signed in (RFC 8176). */
  authenticatedBy: string[];
  /** Since when it needs the credential of its device. */
  boundAt: string | null;
  createdAt: Instant;
  /** Whether it is the one that asks. */
  current: boolean;
  device: string;
  /** What the sign-in called the device. */
  deviceName: string | null;
  /** Why it was ended. */
  endReason: string | null;
  /** When it was ended. */
  endedAt: string | null;
  /** When it ends in any case. */
  endsAt: Instant;
  /** When it ends unless it is refreshed, while it can be. */
  expiresAt: string | null;
  id: string;
  /** The front end, where it is a page in a browser. */
  origin: string | null;
  /** When it was refreshed last, while it can be refreshed. */
  refreshedAt: string | null;
  /** What the client calls itself, in words. */
  userAgent: string | null;
}

/** An authenticator app. */
export interface ExportedTotp {
  /** Since when it counts. */
  confirmedAt: string | null;
  createdAt: Instant;
  /** Of which time step (RFC 6238) the last code was. */
  lastStep: number | null;
}

/** A reset that waits. */
export interface FactorReset {
  /** From when on it counts, unless the owner stops it. */
  dueAt: Instant;
  /** When it was ordered. */
  orderedAt: Instant;
}

/** The proof. */
export interface FactorResetStop {
  /** The six digits of the mail; spaces do not count. Needed unless there is `secret`. `invalid_code` */
  code?: string;
  /** `proof.id` of the request. `invalid_id` */
  proof: string;
  /** The secret of the mail's link, instead of `code`. It counts on any client. `too_long` */
  secret?: string;
}

/** The factors of an account. */
export interface Factors {
  /** The oldest first. */
  passkeys: Passkey[];
  recoveryCodes: RecoveryCodesLeft | null;
  reset: FactorReset | null;
  totp: Totp | null;
}

/** What is wrong with one field. */
export interface FieldProblem {
  /** `missing`: The member is needed. `unknown_field`: There is no such member here. `wrong_type`: The member has another type. `invalid_choice`: The word is none of those that are allowed. `invalid_id`: The member or parameter is no UUID, or the nil or max one where an account gets it. `invalid_code`: The text is no such code: six digits of a mail or an app, or 16 letters and digits of a recovery code. `invalid_email`: The text is no e-mail address. `invalid_url`: The text is no absolute http or https URL, or names a host that it may not. `invalid_locale`: The text is no language tag. `too_short`: The text has too few characters; `detail` says how many it needs. `too_long`: The text has too many characters; `detail` says how many it may have. `control_characters`: The text has control characters, invisible ones, or such that change the direction of text. `invalid_role`: The text is no role. `target_refused`: The URL leads to an address that events must not be sent to; `detail` says why. `invalid_number`: The parameter is no whole number, or out of the range that `detail` says. `invalid_instant`: The parameter is no instant (RFC 3339). `no_time`: The time from there on has not begun, or ends before it begins. `invalid_event`: The text can't be the name of an event, or of a group of them. `invalid_cursor`: The parameter is not the `next` of such a page. `repeated`: The parameter is there twice. `too_many`: There are too many; `detail` says how many there may be. `too_large`: The object is too long as JSON; `detail` says how many bytes it may have. `too_deep`: Arrays and objects are nested too deep; `detail` says how deep they may be. `too_common`: The password is a common one, or follows a common pattern. `contains_own_details`: The password is made of what others know: the address, the name, the device, this service. */
  code: "missing" | "unknown_field" | "wrong_type" | "invalid_choice" | "invalid_id" | "invalid_code" | "invalid_email" | "invalid_url" | "invalid_locale" | "too_short" | "too_long" | "control_characters" | "invalid_role" | "target_refused" | "invalid_number" | "invalid_instant" | "no_time" | "invalid_event" | "invalid_cursor" | "repeated" | "too_many" | "too_large" | "too_deep" | "too_common" | "contains_own_details";
  /** What is wrong, for people: may change. */
  detail: string;
  /** The member of the body, or the parameter. */
  field: string;
}

/** A fresh ID token of the session. */
export interface FreshIdToken {
  /** What your services verify, to be sent as `Authorization: Bearer …`. */
  idToken: string;
  /** When to have refreshed. */
  idTokenExpiresAt: Instant;
}

/** An instant in RFC 3339 form. */
export type Instant = string;

/** Whether a token counts, and what it is (RFC 7662 §2.2). */
export interface Introspection {
  /** Whether it counts now. If not, nothing else is said. */
  active: boolean;
  /** The account's app data as of now, if it has any; for ID tokens. */
  app?: Record<string, unknown>;
  /** When it expires, in seconds since 1970. */
  exp?: number;
  /** When it was issued, in seconds since 1970. */
  iat?: number;
  /** Who has issued it. */
  iss?: string;
  /** The account's roles as of now, if it has any; for ID tokens. */
  roles?: string[];
  /** The session. */
  sid?: string;
  /** The account. */
  sub?: string;
  /** `Bearer` for an ID token. `N_A` for a refresh token, which no service may take for one. */
  token_type?: "Bearer" | "N_A";
}

/** The token to ask about. */
export interface IntrospectionRequest {
  /** An ID token or a refresh token. */
  token: string;
  /** What kind it is; not needed, and not looked at. */
  token_type_hint?: string;
}

/** A live session. */
export interface ListedSession {
  /** Where the sign-in came from. */
  address: string | null;
  /** When the password was shown. */
  createdAt: Instant;
  /** Whether it is the one that asks. */
  current: boolean;
  device: Device;
  /** When it ends in any case. */
  endsAt: Instant;
  /** When it ends unless it is refreshed. */
  expiresAt: Instant;
  /** The session, as in the claim `sid`. */
  id: string;
  /** When it was refreshed last. */
  refreshedAt: Instant;
}

/** The device that the session is on. */
export interface NewDevice {
  /** What to send as `Revolve-Device` from now on. Not for browsers: they get a cookie that scripts can't read. */
  credential?: string;
  /** The device, the same at each sign-in that keeps its credential. */
  id: string;
}

/** The passkey. */
export interface NewPasskey {
  /** What `POST /passkeys/options` answered as `challenge`. `invalid_id` */
  challenge: string;
  /** What the authenticator has made, by `toJSON()`: `RegistrationResponseJSON` (WebAuthn Level 3 §5.1.8). */
  credential: Record<string, unknown>;
  /** What to call it; otherwise the name of the authenticator's model. `too_long` */
  name?: string | null;
}

/** What an authenticator app is set up with. It is not shown again. */
export interface NewTotp {
  /** The URI as a QR code: an `<svg>` element without scripts and references. */
  qrCode: string;
  /** The secret in base 32, to be typed. */
  secret: string;
  /** The same and what else the app needs: `otpauth://totp/…`. */
  uri: string;
}

/** Why the request of an OAuth client was not carried out (RFC 6749 §5.2). Nothing was changed by a 4xx. */
export interface OAuthError {
  /** What happened, for programs that know this service: stable, and more precise. */
  code: string;
  /** What happened, by the word that OAuth has for it. */
  error: string;
  /** What happened, for people: may change. */
  error_description: string;
}

/** A passkey of an account. */
export interface Passkey {
  /** The model of its authenticator (AAGUID); all zeros where that does not say. */
  aaguid: string;
  /** Whether it was copied when it was used last. */
  backedUp: boolean;
  /** Whether it may be copied to other devices of the user. */
  backupEligible: boolean;
  /** When it was registered. */
  createdAt: Instant;
  /** Its id here, which is not that of the credential. */
  id: string;
  /** What the user calls it. */
  name: string;
  /** How its authenticator can be reached (`AuthenticatorTransport`, WebAuthn). */
  transports: string[];
  usedAt: Instant | null;
}

/** A ceremony of WebAuthn has begun. */
export interface PasskeyChallenge {
  /** What to send back beside the credential. */
  challenge: string;
  /** The seconds until the challenge can't be used any more. */
  expiresIn: number;
  /** What the browser is asked with, in the form for `parseCreationOptionsFromJSON()` or `parseRequestOptionsFromJSON()` (WebAuthn Level 3 §5.1.8). */
  publicKey: Record<string, unknown>;
}

/** The name. */
export interface PasskeyName {
  /** What to call it. `too_long` */
  name: string;
}

/** The passkey. */
export interface PasskeySignIn {
  /** What `POST /signin/passkey/options` answered as `challenge`. `invalid_id` */
  challenge: string;
  /** What the authenticator has made, by `toJSON()`: `AuthenticationResponseJSON` (WebAuthn Level 3 §5.1.8). */
  credential: Record<string, unknown>;
  /** What to call the device in the list of sessions. */
  deviceName?: string | null;
}

/** Who signs up. */
export interface PasskeySignUp {
  /** An e-mail address, kept as it was typed, in NFC, without the white space around it, in at most 254 bytes. The same mailbox in another spelling (case, quotes, a domain in Unicode or in ASCII) is the same address. `invalid_email`, `too_long` */
  email: string;
}

/** The passkeys of an account. */
export interface Passkeys {
  /** The oldest first. */
  passkeys: Passkey[];
}

/** The passwords. */
export interface PasswordChange {
  /** The password as it is; checked whenever it is sent. `too_long` */
  currentPassword?: string;
  /** Any Unicode, counted in characters after normalisation (NFC), never trimmed, never truncated. `too_short`, `too_long` */
  newPassword: string;
}

/** Why a request was not carried out (RFC 9457). Nothing was changed by a 4xx but `factor_required`. */
export interface Problem {
  /** How many codes can still be tried. */
  attemptsLeft?: number;
  /** What a factor has to answer, at `POST /signin/factor`. */
  challenge?: string;
  /** What happened, for programs: stable. */
  code: string;
  /** What happened, for people: may change. */
  detail: string;
  device?: StepDevice;
  /** What is wrong with which field. */
  errors?: FieldProblem[];
  /** The seconds until the challenge can't be used any more. */
  expiresIn?: number;
  /** The kinds of factor that can be shown, in the order in which to offer them. */
  factors?: ("totp" | "passkey" | "recovery_code")[];
  /** How many more errors there are that `errors` does not name. */
  moreErrors?: number;
  /** Where a passkey can be shown, what the browser is asked with: `PublicKeyCredentialRequestOptionsJSON` (WebAuthn). */
  publicKey?: Record<string, unknown>;
  /** What to name when you report a 500. */
  requestId?: string;
  /** The scope that the key lacks. */
  scope?: string;
  /** The status once more. */
  status: number;
  /** What the status means. */
  title: string;
  /** `urn:revolve:problem:` and the code. */
  type: string;
}

/** What to send back with the code of the mail. */
export interface Proof {
  /** The seconds until it can't be used any more. */
  expiresIn: number;
  /** Its id. It proves nothing alone. */
  id: string;
}

/** A mail is under way, if there is somebody to get it. */
export interface ProofRequested {
  proof: Proof;
}

/** The password, or a factor. */
export interface Reauthenticate {
  /** What `POST /reauthenticate/passkey/options` answered as `challenge`, beside `credential`. `invalid_id` */
  challenge?: string;
  /** What the authenticator has made, by `toJSON()`: `AuthenticationResponseJSON` (WebAuthn Level 3 §5.1.8). */
  credential?: Record<string, unknown>;
  /** The account's password. `too_long` */
  currentPassword?: string;
  /** A recovery code: 16 letters and digits; case, spaces and hyphens do not count. `invalid_code` */
  recoveryCode?: string;
  /** The six digits that the authenticator app shows; spaces do not count. `invalid_code` */
  totp?: string;
}

/** The password was shown. */
export interface Reauthenticated {
  /** So many seconds it counts, unless the session ends or the password is changed before. */
  expiresIn: number;
  /** What to send as `Revolve-Reauthentication`, to this API only. */
  reauthentication: string;
  tokens: FreshIdToken;
}

/** Whose password is forgotten. */
export interface Recovery {
  /** An e-mail address, kept as it was typed, in NFC, without the white space around it, in at most 254 bytes. The same mailbox in another spelling (case, quotes, a domain in Unicode or in ASCII) is the same address. `invalid_email`, `too_long` */
  email: string;
}

/** What a change of the factors gave the account. */
export interface RecoveryCodes {
  /** Recovery codes of the account, each of which stands in for a factor once. They are not shown again: show them to the user. */
  recoveryCodes?: string[];
}

/** Recovery codes. */
export interface RecoveryCodesLeft {
  /** When they were made. */
  createdAt: Instant;
  /** How many were not used yet. */
  left: number;
}

/** The proof and the new password. */
export interface RecoveryConfirmation {
  /** The six digits of the mail; spaces do not count. Needed unless there is `secret`. `invalid_code` */
  code?: string;
  /** What to call the device in the list of sessions. */
  deviceName?: string | null;
  /** Any Unicode, counted in characters after normalisation (NFC), never trimmed, never truncated. `too_short`, `too_long` */
  newPassword: string;
  /** `proof.id` of the request. `invalid_id` */
  proof: string;
  /** The secret of the mail's link, instead of `code`. It counts only where the mail was asked for, with the cookie that the request set, or the device credential that it showed; for the undo of a change, where the address was changed; that of an invitation or an operator's link on any client. `too_long` */
  secret?: string;
}

/** The token to trade. */
export interface Refresh {
  /** The newest refresh token. Needed, but with `Revolve-Tokens: cookie` refused. */
  refreshToken?: string;
}

/** The next pair of tokens. */
export interface Refreshed {
  session: Session;
  tokens: Tokens;
}

/** The token whose session ends. */
export interface RevocationRequest {
  /** A refresh token or an ID token. */
  token: string;
  /** What kind it is; not needed, and not looked at. */
  token_type_hint?: string;
}

/** A factor: one of `totp`, `recoveryCode` and `credential`. */
export interface SecondStep {
  /** The challenge that was answered. `invalid_id` */
  challenge: string;
  /** What the authenticator has made, by `toJSON()`: `AuthenticationResponseJSON` (WebAuthn Level 3 §5.1.8). */
  credential?: Record<string, unknown>;
  /** A recovery code: 16 letters and digits; case, spaces and hyphens do not count. `invalid_code` */
  recoveryCode?: string;
  /** The six digits that the authenticator app shows; spaces do not count. `invalid_code` */
  totp?: string;
}

/** A session, in the answer to a sign-in or a refresh. */
export interface Session {
  /** When the password was shown. */
  createdAt: Instant;
  /** When it ends in any case. */
  endsAt: Instant;
  /** The sessions that this sign-in ended because there were too many; not in the answer to a refresh. */
  evicted?: string[];
  /** The session, as in the claim `sid`. */
  id: string;
}

/** The live sessions of the account. */
export interface Sessions {
  sessions: ListedSession[];
}

/** Who signs in. */
export interface SignIn {
  /** What to call the device in the list of sessions. */
  deviceName?: string | null;
  /** An e-mail address, kept as it was typed, in NFC, without the white space around it, in at most 254 bytes. The same mailbox in another spelling (case, quotes, a domain in Unicode or in ASCII) is the same address. `invalid_email`, `too_long` */
  email: string;
  /** The account's password. One that is too short is merely wrong. `too_long` */
  password: string;
}

/** Who signs in. */
export interface SignInCode {
  /** An e-mail address, kept as it was typed, in NFC, without the white space around it, in at most 254 bytes. The same mailbox in another spelling (case, quotes, a domain in Unicode or in ASCII) is the same address. `invalid_email`, `too_long` */
  email: string;
}

/** The proof. */
export interface SignInConfirmation {
  /** The six digits of the mail; spaces do not count. Needed unless there is `secret`. `invalid_code` */
  code?: string;
  /** What to call the device in the list of sessions. */
  deviceName?: string | null;
  /** `proof.id` of the request. `invalid_id` */
  proof: string;
  /** The secret of the mail's link, instead of `code`. It counts only where the mail was asked for: with the cookie that the request set, or the device credential that it showed. `too_long` */
  secret?: string;
}

/** Which sessions to end; nothing counts as `{}`. */
export interface SignOut {
  /** Which sessions: this one, all but this one, or all of the account. */
  scope?: "this" | "others" | "everywhere";
}

/** Who signs up: with `password` or with `passkey`. */
export interface SignUp {
  /** What to call the device in the list of sessions. */
  deviceName?: string | null;
  /** An e-mail address, kept as it was typed, in NFC, without the white space around it, in at most 254 bytes. The same mailbox in another spelling (case, quotes, a domain in Unicode or in ASCII) is the same address. `invalid_email`, `too_long` */
  email: string;
  /** The language of the mails; otherwise the first of `Accept-Language`. */
  locale?: string | null;
  /** A passkey in place of a password. */
  passkey?: {
    /** What `POST /signup/passkey/options` answered as `challenge`. `invalid_id` */
    challenge: string;
    /** What the authenticator has made, by `toJSON()`: `RegistrationResponseJSON` (WebAuthn Level 3 §5.1.8). */
    credential: Record<string, unknown>;
    /** What to call the passkey; otherwise the name of the authenticator's model. `too_long` */
    name?: string | null;
  };
  /** Any Unicode, counted in characters after normalisation (NFC), never trimmed, never truncated. `too_short`, `too_long` */
  password?: string;
}

/** The proof. */
export interface SignUpConfirmation {
  /** The six digits of the mail; spaces do not count. Needed unless there is `secret`. `invalid_code` */
  code?: string;
  /** What to call the device in the list of sessions. */
  deviceName?: string | null;
  /** The password of the sign-up. Needed unless the cookie that the sign-up set, or the device credential that it showed, is sent; one that is given is checked in any case. `missing`, `too_long` */
  password?: string;
  /** `proof.id` of the request. `invalid_id` */
  proof: string;
  /** The secret of the mail's link, instead of `code`. It counts only where the mail was asked for: with the cookie that the request set, or the device credential that it showed. `too_long` */
  secret?: string;
}

/** The device that the session will be on. */
export interface StepDevice {
  /** What to send as `Revolve-Device` from now on, with the factor first of all. Not for browsers: they get a cookie that scripts can't read. */
  credential?: string;
  /** The device. */
  id: string;
}

/** The token to trade. */
export interface TokenRequest {
  /** The audience of ID tokens; not looked at here, but libraries compare it with theirs. */
  client_id?: string;
  /** The grant. */
  grant_type: "refresh_token";
  /** The newest refresh token. */
  refresh_token: string;
  /** What the tokens are for, as far as OAuth knows: some of `openid profile email offline_access`. All pairs are the same. */
  scope?: string;
}

/** The next pair of tokens (RFC 6749 §5.1, OpenID Connect Core 1.0 §12.2). */
export interface TokenResponse {
  /** What your services verify, to be sent as `Authorization: Bearer …`. */
  access_token: string;
  /** The seconds until the ID token expires. */
  expires_in: number;
  /** What your services verify, to be sent as `Authorization: Bearer …`. */
  id_token: string;
  /** What buys the next pair, once: keep the newest in a safe place. Not there with `Revolve-Tokens: cookie`: then the cookie has it. */
  refresh_token: string;
  /** How it is used (RFC 6750). */
  token_type: "Bearer";
}

/** A pair of tokens. */
export interface Tokens {
  /** What your services verify, to be sent as `Authorization: Bearer …`. */
  idToken: string;
  /** When to have refreshed. */
  idTokenExpiresAt: Instant;
  /**
   * There, and true, if the session can do nothing but set up a factor, which `accounts.require_factor` asks for: everything else is 403
   * `factor_setup_required`, and no other service takes the ID token. Refresh after that.
   */
  mustSetUpFactor?: boolean;
  /** What buys the next pair, once: keep the newest in a safe place. Not there with `Revolve-Tokens: cookie`: then the cookie has it. */
  refreshToken?: string;
  /** When it is worth nothing any more unless it is used. */
  refreshTokenExpiresAt: Instant;
}

/** An authenticator app. */
export interface Totp {
  confirmedAt: Instant | null;
  /** When it was set up. */
  createdAt: Instant;
}

/** The first code. */
export interface TotpConfirmation {
  /** The six digits that the authenticator app shows; spaces do not count. `invalid_code` */
  code: string;
}

/** An account. */
export interface User {
  /** What the operators' applications keep with the account, as in the claim `app`. */
  app: Record<string, unknown>;
  /** When the account was made. */
  createdAt: Instant;
  /** The address to sign in with. */
  email: string;
  /** Whether its owner has proved to read that mailbox. */
  emailVerified: boolean;
  /** A picture. */
  imageUrl: string | null;
  /** The language of the mails, as a tag (RFC 5646). */
  locale: string | null;
  /** The name to show. */
  name: string | null;
  /** What operators let the account do, as in the claim `roles`. */
  roles: string[];
  /** The account, as in the claim `sub`. */
  uid: string;
  /** A home page. */
  website: string | null;
}

/** The answer with the account. */
export interface UserAnswer {
  user: User;
}

/** The account (OpenID Connect Core 1.0 §5.1). What it has not is left out. */
export interface UserInfo {
  /** What the operators' applications keep with the account. */
  app?: Record<string, unknown>;
  /** The address to sign in with. */
  email: string;
  /** Whether its owner has proved to read that mailbox. */
  email_verified: boolean;
  /** The language of the mails, as a tag (RFC 5646). */
  locale?: string;
  /** The name to show. */
  name?: string;
  /** A picture. */
  picture?: string;
  /** What operators let the account do. */
  roles?: string[];
  /** The account, as in the ID token. */
  sub: string;
  /** A home page. */
  website?: string;
}

/** What a problem of the account API says in `code`. There may be new ones. */
export type ProblemCode =
  | "already_set_up"
  | "body_too_large"
  | "body_too_slow"
  | "challenge_gone"
  | "code_required"
  | "code_used"
  | "code_wrong"
  | "conflict"
  | "cookie_missing"
  | "credential_refused"
  | "csrf_refused"
  | "deadline_exceeded"
  | "device_mismatch"
  | "duplicate_member"
  | "email_taken"
  | "email_verified"
  | "factor_required"
  | "factor_setup_required"
  | "headers_too_large"
  | "incomplete_body"
  | "internal"
  | "invalid_after"
  | "invalid_credentials"
  | "invalid_fields"
  | "invalid_limit"
  | "invalid_tokens_mode"
  | "last_factor"
  | "mail_not_configured"
  | "malformed_json"
  | "nested_too_deep"
  | "no_factor"
  | "not_found"
  | "other_client"
  | "proof_gone"
  | "rate_limited"
  | "reauthentication_required"
  | "session_evicted"
  | "session_expired"
  | "session_replaced"
  | "session_required"
  | "session_revoked"
  | "session_unknown"
  | "sign_in_code_off"
  | "sign_in_superseded"
  | "token_expired"
  | "token_invalid"
  | "token_reused"
  | "token_stale"
  | "too_many_passkeys"
  | "unauthenticated"
  | "unavailable"
  | "unsupported_media_type"
  | "uri_too_long"
  | "wrong_password";
