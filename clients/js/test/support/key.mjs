// An authenticator that Chromium has in place of a real one (Chrome DevTools Protocol, domain WebAuthn).

/** Gives a page one that has its own user, and says yes. */
export async function virtualKey(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable", { enableUI: false });
  const { authenticatorId } = await session.send(
    "WebAuthn.addVirtualAuthenticator",
    {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    },
  );
  const send = (command, input) =>
    session.send(`WebAuthn.${command}`, { authenticatorId, ...input });
  return {
    /** Whether it makes sure who is there. */
    verifies: (isUserVerified) => send("setUserVerified", { isUserVerified }),
    /** Whether somebody touches it as soon as it is asked. */
    touches: (enabled) => send("setAutomaticPresenceSimulation", { enabled }),
    /** How many passkeys it has. */
    async count() {
      return (await send("getCredentials")).credentials.length;
    },
    clear: () => send("clearCredentials"),
  };
}
