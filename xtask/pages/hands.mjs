// Somebody with a keyboard alone.

const MOST = 20;

/** Goes on to the field of that name, and fails if it can't be seen there. */
export async function tab(page, name) {
  for (let steps = 0; steps < MOST; steps += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const style = getComputedStyle(document.activeElement);
      const isShown = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
      return { name: document.activeElement.getAttribute("name"), isShown, tag: document.activeElement.tagName };
    });
    if (!at.isShown && at.tag !== "BODY") {
      throw new Error(`the focus on ${at.tag} can't be seen on ${page.url()}`);
    }
    if (at.name === name) {
      return;
    }
  }
  throw new Error(`the keyboard does not reach ${name} on ${page.url()}`);
}

export const press = (page, key) => page.keyboard.press(key);

export const type = (page, text) => page.keyboard.type(text);

/** Sends the form. */
export const enter = (page) => Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
