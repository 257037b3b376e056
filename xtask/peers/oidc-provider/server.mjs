// oidc-provider for `cargo xtask torture --peer oidc-provider` and `cargo xtask bench --peers`: its defaults, with a public client and
// everything in memory. The clients have no browser, so sessions begin by a password grant that takes any user; what follows is the
// package's own.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const CLIENT_ID = 'torture';
const SCOPE = 'openid offline_access';

const server = createServer();
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: CLIENT_ID,
      // Public clients get a new refresh token at each refresh by default.
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token', 'password'],
      redirect_uris: ['https://app.example.org/callback'],
      response_types: ['code'],
    }],
    features: {
      devInteractions: { enabled: false },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true, allowedPolicy: () => true },
    },
    findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  });

  provider.registerGrantType('password', async (ctx) => {
    const { client, params } = ctx.oidc;
    const grant = new provider.Grant({ accountId: params.username, clientId: client.clientId });
    grant.addOIDCScope(SCOPE);
    const common = { accountId: params.username, client, grantId: await grant.save(), gty: 'password', scope: SCOPE };
    const access = new provider.AccessToken(common);
    const refresh = new provider.RefreshToken({ ...common, rotations: 0 });
    ctx.body = {
      access_token: await access.save(),
      expires_in: access.expiration,
      refresh_token: await refresh.save(),
      scope: SCOPE,
      token_type: access.tokenType,
    };
  }, ['username', 'password', 'scope']);

  server.on('request', provider.callback());
  console.log(`listening on ${issuer}`);
});
