// Does what `cargo xtask interop` asks on standard input, with the library named as the argument, and answers on standard output.
// `jose` verifies and issues; `openid-client` finds the key set through /.well-known/openid-configuration, and `jose` verifies with it.

import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import * as jose from 'jose';
import * as openid from 'openid-client';

const byDiscovery = process.argv[2] === 'openid-client';
const keySets = new Map();

async function find(task) {
  if (!byDiscovery) return { keySet: task.keySet, algorithms: [task.algorithm], issuer: task.issuer };
  const loopback = { execute: [openid.allowInsecureRequests] };
  const found = await openid.discovery(new URL(task.configuration), 'interop', undefined, openid.None(), loopback);
  const { issuer, jwks_uri: keySet, id_token_signing_alg_values_supported: algorithms } = found.serverMetadata();
  // What is expected of a token is the task's, so that another issuer is noticed.
  if (`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration` !== task.configuration) throw new Error('another issuer');
  return { keySet, algorithms, issuer: task.issuer };
}

async function verify(task) {
  const key = `${task.configuration} ${task.issuer}`;
  if (!keySets.has(key)) {
    const found = await find(task);
    keySets.set(key, { ...found, keys: jose.createRemoteJWKSet(new URL(found.keySet)) });
  }
  const { keys, algorithms, issuer } = keySets.get(key);
  const options = { issuer, audience: task.audience, algorithms, typ: 'JWT', requiredClaims: ['iss', 'sub', 'aud', 'iat', 'exp'] };
  return (await jose.jwtVerify(task.token, keys, options)).payload;
}

async function issue(task) {
  const key = await jose.importJWK(task.key, task.algorithm);
  return new jose.SignJWT(task.claims).setProtectedHeader({ alg: task.algorithm, ...task.header }).sign(key);
}

function reason(error) {
  if (error instanceof jose.errors.JWTExpired) return 'expired';
  if (error instanceof jose.errors.JWTClaimValidationFailed) return { iss: 'issuer', aud: 'audience' }[error.claim] ?? 'other';
  if (error instanceof jose.errors.JWSSignatureVerificationFailed) return 'signature';
  if (error instanceof jose.errors.JOSEAlgNotAllowed) return 'algorithm';
  return 'other';
}

async function verdict(task) {
  try {
    const claims = await verify(task);
    return { id: task.id, accepted: { sub: claims.sub, email: claims.user.email } };
  } catch (error) {
    if (!(error instanceof jose.errors.JOSEError)) throw error;
    return { id: task.id, reason: reason(error), error: error.name };
  }
}

async function each(tasks, work) {
  const done = [];
  for (const task of tasks) done.push(await work(task));
  return done;
}

const version = async (name) => JSON.parse(await readFile(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;
const asked = JSON.parse(await text(process.stdin));
const answer = {
  library: process.argv[2],
  version: await version(process.argv[2]),
  verdicts: await each(asked.verify, verdict),
  issued: byDiscovery ? [] : await each(asked.issue, async (task) => ({ id: task.id, token: await issue(task) })),
};
process.stdout.write(JSON.stringify(answer));
