// better-auth with its OAuth provider for `cargo xtask torture --peer better-auth` and `cargo xtask bench --peers`: its defaults, with a
// public client and everything in memory, and without rate limits. The clients have no browser, so POST /begin signs a user up or in and
// goes through the authorization code flow in this process; what follows is the packages' own.
// DATABASE=sqlite keeps everything in SQLite, in memory too, by libsql, which installs without a compiler and has the interface of
// better-sqlite3; each query scans the arrays of the memory adapter. ALGORITHM is that of ID tokens.
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { memoryAdapter } from '@better-auth/memory-adapter';
import { oauthProvider } from '@better-auth/oauth-provider';
import { betterAuth } from 'better-auth';
import { toNodeHandler } from 'better-auth/node';
import { getMigrations } from 'better-auth/db/migration';
import { jwt } from 'better-auth/plugins';
import { SqliteDialect } from 'kysely';
import Database from 'libsql';

const CLIENT_ID = 'torture';
const CALLBACK = 'https://app.example.org/callback';
const SCOPE = 'openid offline_access';
const random = () => randomBytes(32).toString('base64url');

const server = createServer();
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', async () => {
  const baseURL = `http://127.0.0.1:${server.address().port}`;
  const tables = ['user', 'session', 'account', 'verification', 'jwks', 'oauthClient', 'oauthAccessToken', 'oauthRefreshToken',
    'oauthConsent', 'oauthResource', 'oauthClientResource', 'oauthClientAssertion'];
  const sqlite = process.env.DATABASE === 'sqlite';
  const alg = process.env.ALGORITHM;
  const auth = betterAuth({
    baseURL,
    secret: random(),
    database: sqlite
      ? { dialect: new SqliteDialect({ database: new Database(':memory:') }), type: 'sqlite', transaction: true }
      : memoryAdapter(Object.fromEntries(tables.map((name) => [name, []]))),
    emailAndPassword: { enabled: true },
    rateLimit: { enabled: false },
    plugins: [jwt(alg ? { jwks: { keyPairConfig: { alg } } } : {}), oauthProvider({
      loginPage: '/sign-in', consentPage: '/consent', generateClientId: () => CLIENT_ID,
      refreshTokenReuseInterval: Number(process.env.REUSE_INTERVAL ?? 0),
    })],
  });
  const post = (path, type, body) => auth.handler(new Request(`${baseURL}/api/auth${path}`, {
    method: 'POST', headers: { 'content-type': type, origin: baseURL }, body,
  }));

  const cookies = (response) => response.headers.getSetCookie().map((value) => value.split(';')[0]).join('; ');

  async function prepare() {
    // Clients belong to a user.
    const operator = await post('/sign-up/email', 'application/json',
      JSON.stringify({ email: 'operator@example.org', password: random(), name: 'Operator' }));
    await auth.api.adminCreateOAuthClient({
      headers: new Headers({ cookie: cookies(operator) }),
      body: {
        redirect_uris: [CALLBACK],
        scope: SCOPE,
        skip_consent: true,
        token_endpoint_auth_method: 'none',
      },
    });
  }

  // Not at the start, which is measured: elsewhere clients exist by then.
  let prepared;

  async function begin({ email, password, create }) {
    prepared ??= prepare();
    await prepared;
    const credentials = JSON.stringify({ email, password, name: 'Ann' });
    const signed = await post(create ? '/sign-up/email' : '/sign-in/email', 'application/json', credentials);
    if (!signed.ok) return signed;
    const cookie = cookies(signed);
    const verifier = random();
    const query = new URLSearchParams({
      client_id: CLIENT_ID,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      redirect_uri: CALLBACK,
      response_type: 'code',
      scope: SCOPE,
      state: random(),
    });
    const authorized = await auth.handler(new Request(`${baseURL}/api/auth/oauth2/authorize?${query}`, { headers: { cookie } }));
    const location = new URL(authorized.headers.get('location') ?? 'about:blank', baseURL);
    const code = location.searchParams.get('code');
    if (!code) throw new Error(`no code: ${authorized.status} ${location} ${await authorized.text()}`);
    return post('/oauth2/token', 'application/x-www-form-urlencoded', new URLSearchParams({
      client_id: CLIENT_ID, code, code_verifier: verifier, grant_type: 'authorization_code', redirect_uri: CALLBACK,
    }));
  }

  if (sqlite) await (await getMigrations(auth.options)).runMigrations();
  const own = toNodeHandler(auth);
  server.on('request', async (request, response) => {
    if (request.url !== '/begin') return own(request, response);
    try {
      let text = '';
      for await (const chunk of request) text += chunk;
      const answer = await begin(JSON.parse(text));
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
    } catch (error) {
      console.error(error);
      response.writeHead(500).end();
    }
  });
  console.log(`listening on ${baseURL}`);
});
