import assert from "node:assert/strict";
import { test } from "node:test";
import { launch, NEEDS_CHROMIUM } from "./support/browser.mjs";
import { virtualKey } from "./support/key.mjs";
import { address, open, PASSWORD } from "./support/world.mjs";

test(
  "the page of examples/web, from the sign-up to the recovery",
  NEEDS_CHROMIUM,
  async () => {
    const world = await open({ ACCOUNTS__VERIFICATION: "required" });
    const { mail } = world.service;
    const browser = await launch();
    const url = `${world.page.url}/example/?service=${world.front.url}`;
    const problems = [];
    const visit = async (context) => {
      const page = await context.newPage();
      page.on("pageerror", (error) => problems.push(error.message));
      await page.goto(url);
      return page;
    };
    const visible = (found) => found.filter({ visible: true });
    const fill = async (page, fields, button) => {
      for (const [label, value] of Object.entries(fields)) {
        await visible(page.getByLabel(label, { exact: true })).fill(value);
      }
      await press(page, button);
    };
    const press = (page, name) =>
      visible(page.getByRole("button", { name, exact: true })).click();
    const shows = (page, name) =>
      page.getByRole("heading", { level: 1, name }).waitFor();
    try {
      const viewport = { width: 360, height: 640 };
      const home = await browser.newContext({ viewport });
      const page = await visit(home);
      await shows(page, "Sign in");
      const email = address();
      await press(page, "Make an account");
      const account = { "E-mail address": email, Password: PASSWORD };
      await fill(page, { ...account, Password: "password" }, "Sign up");
      await page
        .getByRole("alert")
        .getByText("The password is a common")
        .waitFor();
      await fill(page, account, "Sign up");
      await shows(page, "Confirm your address");
      const { code } = await mail("sign_up", email);
      await fill(page, { Code: code }, "Confirm");
      await shows(page, "Welcome");
      await page.getByText(email).waitFor();
      const second = await visit(home);
      await shows(second, "Welcome");
      const saved = second.waitForResponse(/details$/);
      await fill(second, { Name: "Ann" }, "Save");
      await saved;
      await second.reload();
      await shows(second, "Welcome");
      assert.equal(await second.getByLabel("Name").inputValue(), "Ann");
      const overflow = () => document.body.scrollWidth - innerWidth;
      assert.ok((await second.evaluate(overflow)) <= 0);

      const away = await browser.newContext();
      const elsewhere = await visit(away);
      await fill(elsewhere, { ...account, Password: "wrong" }, "Sign in");
      const alert = elsewhere.getByRole("alert");
      await alert.getByText("address or the password is wrong").waitFor();
      await fill(elsewhere, account, "Sign in");
      await shows(elsewhere, "Welcome");
      await press(elsewhere, "Sign out all others");
      await elsewhere.getByText("this browser").waitFor();
      await second.reload();
      for (const tab of [page, second]) {
        await tab.getByText("signed out: session_revoked").waitFor();
      }

      await press(page, "Forgot the password?");
      await fill(page, { "E-mail address": email }, "Mail me a code");
      const reset = await mail("reset_password", email);
      const changed = {
        Code: reset.code,
        "New password": "battery horse correct",
      };
      await fill(page, changed, "Set the password");
      // In all tabs.
      for (const tab of [page, second]) await shows(tab, "Welcome");
      await press(second, "Sign out");
      for (const tab of [page, second]) await shows(tab, "Sign in");
      assert.deepEqual(problems, []);
    } finally {
      await browser.close();
      await world.close();
    }
  },
);

test(
  "the page of examples/web, with a passkey and no password",
  NEEDS_CHROMIUM,
  async () => {
    const settings = { ACCOUNTS__VERIFICATION: "required" };
    const world = await open(settings, "localhost");
    const browser = await launch();
    try {
      const page = await browser.newPage();
      await virtualKey(page);
      await page.goto(`${world.page.url}/example/?service=${world.front.url}`);
      const press = (name) =>
        page.getByRole("button", { name, exact: true }).click();
      const email = address();
      await press("Make an account");
      await page.locator("[data-view=sign-up] [name=email]").fill(email);
      await press("Use a passkey and no password");
      const { code } = await world.service.mail("sign_up", email);
      await page.locator("[data-view=confirm] [name=code]").fill(code);
      await press("Confirm");
      await page.getByText("each of these lets you in once").waitFor();
      await press("Sign out");
      await press("Sign in with a passkey");
      await page.getByText(email).waitFor();
      assert.equal(await page.locator("#codes").isVisible(), false);
    } finally {
      await browser.close();
      await world.close();
    }
  },
);
