// Plays an OAuth client for an hour, as `cargo xtask interop` asks on standard input, with the library named as the argument: finds the endpoints,
// refreshes, asks about tokens, reads user info, signs out. Answers on standard output what it has done; what goes wrong ends the run.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';

const asked = JSON.parse(await text(process.stdin));
const issuer = new URL(asked.issuer);
// What the service asks of a session that is bound to its device.
const device = { 'Revolve-Device': asked.credential };

async function withOpenidClient() {
  const withDevice = (url, options) => fetch(url, { ...options, headers: { ...options.headers, ...device } });
  const find = (algorithm, id, authentication) =>
    openid.discovery(issuer, id, undefined, authentication, {
      algorithm,
      execute: [openid.allowInsecureRequests],
      [openid.customFetch]: withDevice,
    });
  const client = await find('oidc', asked.audience, openid.None());
  const service = await find('oauth2', 'a-service', openid.ClientSecretBasic(asked.key));
  return {
    refresh: (token) => openid.refreshTokenGrant(client, token),
    userInfo: (token, subject) => openid.fetchUserInfo(client, token, subject),
    introspect: (token) => openid.tokenIntrospection(service, token),
    revoke: (token) => openid.tokenRevocation(client, token),
    refusal: (error) => error instanceof openid.ResponseBodyError && error.cause,
  };
}

async function withOauth4webapi() {
  const options = { [oauth.allowInsecureRequests]: true };
  const find = async (algorithm) =>
    oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...options, algorithm }));
  const [server, same] = [await find('oidc'), await find('oauth2')];
  assert.deepEqual(server, same);
  const [client, service] = [{ client_id: asked.audience }, { client_id: 'a-service' }];
  const key = oauth.ClientSecretBasic(asked.key);
  return {
    async refresh(token) {
      const headers = new Headers(device);
      const answer = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), token, { ...options, headers });
      return oauth.processRefreshTokenResponse(server, client, answer);
    },
    async userInfo(token, subject) {
      return oauth.processUserInfoResponse(server, client, subject, await oauth.userInfoRequest(server, client, token, options));
    },
    async introspect(token) {
      const answer = await oauth.introspectionRequest(server, service, key, token, options);
      return oauth.processIntrospectionResponse(server, service, answer);
    },
    async revoke(token) {
      await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, oauth.None(), token, options));
    },
    refusal: (error) => error instanceof oauth.ResponseBodyError && error.cause,
  };
}

// The clock of this process and of the service is a file; without one there is no time to pass.
async function pass(seconds) {
  if (!asked.clock) return;
  const now = Number.parseInt(await readFile(asked.clock, 'utf8'), 10);
  await writeFile(asked.clock, `+${now + seconds}s\n`);
}

async function refused(library, token) {
  try {
    await library.refresh(token);
  } catch (error) {
    const refusal = library.refusal(error);
    if (refusal) return [refusal.error, refusal.code];
    throw error;
  }
  throw new Error('it was answered');
}

const library = await { 'openid-client': withOpenidClient, oauth4webapi: withOauth4webapi }[process.argv[2]]();
const isActive = async (token) => (await library.introspect(token)).active;
let refreshToken = asked.refreshToken;
let answer;
for (let refreshes = 0; refreshes < asked.refreshes; refreshes += 1) {
  await pass(asked.pause);
  const parent = refreshToken;
  answer = await library.refresh(parent);
  refreshToken = answer.refresh_token;
  assert.notEqual(refreshToken, parent);
  // The library has looked into the ID token.
  assert.equal(answer.id_token, answer.access_token);
  const { token_type: type, sub, sid } = await library.introspect(answer.access_token);
  assert.deepEqual([type, (await library.introspect(refreshToken)).token_type], ['Bearer', 'N_A']);
  assert.equal(sid, asked.session);
  assert.equal((await library.userInfo(answer.access_token, sub)).email, asked.email);
  assert.equal(await isActive(parent), false);
  // As if the answer had been lost.
  assert.equal((await library.refresh(parent)).refresh_token, refreshToken);
}
assert.deepEqual(await refused(library, answer.access_token), ['invalid_grant', 'token_invalid']);
await library.revoke(refreshToken);
await library.revoke(refreshToken);
assert.deepEqual(await refused(library, refreshToken), ['invalid_grant', 'session_revoked']);
assert.deepEqual([await isActive(refreshToken), await isActive(answer.access_token)], [false, false]);
const found = new URL(`node_modules/${process.argv[2]}/package.json`, import.meta.url);
const { version } = JSON.parse(await readFile(found));
process.stdout.write(JSON.stringify({ library: process.argv[2], version }));
