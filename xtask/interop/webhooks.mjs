// Verifies the webhooks on standard input with standardwebhooks, and answers on standard output which it accepts.

import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';

function isAccepted({ secret, headers, body }) {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    return false;
  }
}

const { version } = JSON.parse(await readFile(new URL('node_modules/standardwebhooks/package.json', import.meta.url)));
const accepted = JSON.parse(await text(process.stdin)).map(isAccepted);
process.stdout.write(JSON.stringify({ library: 'standardwebhooks (npm)', version, accepted }));
