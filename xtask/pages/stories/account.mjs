// What most do with an account, from its first day to its last.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { NEW, PASSWORD, address } from "./visitor.mjs";

export const stories = {
  async "sign up, out and in, change what is shown, and leave"({ visitor, world }) {
    const ann = await visitor();
    const email = address();
    await ann.open("/account");
    ann.isAt("/account/signin");
    await ann.follow('a[href^="/account/signup"]');
    await ann.send({ email, password: PASSWORD });
    ann.isAt("/account");
    await ann.shows(email);
    await ann.signOut();
    await ann.send({ email, password: NEW });
    await ann.shows("is wrong");
    assert.equal(await ann.typed("email"), email);
    assert.equal(await ann.typed("password"), "");
    await ann.send({ password: PASSWORD });
    ann.isAt("/account");

    await ann.follow('main a[href="/account/profile"]');
    await ann.send({ name: "Ann", website: "ftp://example.org/" });
    await ann.shows("Enter a whole address of the web");
    assert.equal(await ann.typed("name"), "Ann");
    await ann.send({ website: "https://example.org/" });
    await ann.shows("Your profile is saved.");
    const { user } = await world.account(email);
    assert.deepEqual([user.name, user.website], ["Ann", "https://example.org/"]);

    await ann.open("/account/activity");
    for (const told of ["Profile changed", "Signed in", "A sign-in was refused", "Account created"]) {
      await ann.shows(told);
    }
    const exported = await download(ann, PASSWORD);
    assert.equal(exported.account.email, email);
    assert.equal(exported.account.name, "Ann");

    await ann.open("/account/delete");
    await ann.send({ currentPassword: NEW });
    await ann.shows("The password is wrong.");
    await ann.send({ currentPassword: PASSWORD });
    await ann.shows("Your account is deleted");
    assert.equal(await world.account(email), undefined);
    await ann.isSignedOut();
    await ann.send({ email, password: PASSWORD });
    await ann.shows("is wrong");
  },

  async "another password signs out all others"({ visitor }) {
    const [laptop, phone] = [await visitor(), await visitor()];
    const email = await laptop.signUp();
    await phone.signIn(email);
    await laptop.open("/account/password");
    await laptop.send({ currentPassword: NEW, newPassword: NEW });
    await laptop.shows("The password is wrong.");
    await laptop.send({ currentPassword: PASSWORD, newPassword: NEW });
    await laptop.shows("Your password is changed");
    await laptop.isSignedIn(email);
    await phone.open("/account/profile");
    phone.isAt("/account/signin");
    await phone.send({ email, password: PASSWORD });
    await phone.shows("is wrong");
    await phone.send({ password: NEW });
    phone.isAt("/account/profile");
  },

  async "devices are signed out one by one, all others, and everywhere"({ visitor, world }) {
    const [laptop, phone, tablet, watch] = [await visitor(), await visitor(), await visitor(), await visitor()];
    const email = await laptop.signUp();
    for (const device of [phone, tablet, watch]) {
      await device.signIn(email);
    }
    await laptop.open("/account/devices");
    const others = () => laptop.page.locator("li.device", { hasNotText: "This device" });
    assert.equal(await others().count(), 3);
    const button = others().filter({ hasText: new RegExp(`${watch.mark}\\b`) }).locator("button");
    await Promise.all([laptop.page.waitForNavigation(), button.click()]);
    await laptop.shows("The device is signed out.");
    assert.equal(await others().count(), 2);
    await watch.isSignedOut();
    await phone.isSignedIn(email);
    await laptop.follow('button[value="others"]');
    await laptop.shows("The device is signed out.");
    assert.equal(await others().count(), 0);
    await phone.isSignedOut();
    await tablet.isSignedOut();
    await laptop.isSignedIn(email);
    await phone.signIn(email);
    await laptop.open("/account/devices");
    await laptop.follow('button[value="everywhere"]');
    await laptop.shows("You are signed out.");
    await phone.isSignedOut();
    assert.deepEqual((await world.account(email)).sessions, []);
  },
};

/** What the page of one's data has, as the file that the browser has kept. */
export async function download(visitor, password) {
  await visitor.open("/account/export");
  await visitor.fill({ currentPassword: password });
  const [file] = await Promise.all([visitor.page.waitForEvent("download"), visitor.page.click("main form button")]);
  return JSON.parse(readFileSync(await file.path(), "utf8"));
}
