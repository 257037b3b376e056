// Verifies the passkeys on standard input with @simplewebauthn/server, and answers on standard output which it accepts. What it expects is what the
// service's options say.

import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';

const expected = ({ options, origin, response }) => ({
  response,
  expectedChallenge: options.challenge,
  expectedOrigin: origin,
  expectedRPID: options.rp?.id ?? options.rpId,
});

const register = (task) =>
  verifyRegistrationResponse({
    ...expected(task),
    requireUserVerification: task.options.authenticatorSelection.userVerification === 'required',
    supportedAlgorithmIDs: task.options.pubKeyCredParams.map(({ alg }) => alg),
  });

async function signIn(task) {
  const { registrationInfo } = await register(task.registration);
  return verifyAuthenticationResponse({
    ...expected(task),
    credential: registrationInfo.credential,
    requireUserVerification: task.options.userVerification === 'required',
  });
}

async function isAccepted(task) {
  try {
    return (await (task.registration ? signIn(task) : register(task))).verified;
  } catch (error) {
    // The library's own are of no other class.
    if (error instanceof TypeError) throw error;
    return false;
  }
}

const { version } = JSON.parse(await readFile(new URL('node_modules/@simplewebauthn/server/package.json', import.meta.url)));
const accepted = [];
for (const task of JSON.parse(await text(process.stdin))) accepted.push(await isAccepted(task));
process.stdout.write(JSON.stringify({ library: '@simplewebauthn/server', version, accepted }));
