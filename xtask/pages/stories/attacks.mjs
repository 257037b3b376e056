// What a page of somebody else can make a browser send. Each function runs in such a page.

/**
 * Sends forms by themselves, each into a frame of its own.
 *
 * @param forms `{ url, method, enctype, fields }` of each.
 */
export function sendForms(forms) {
  forms.forEach(({ url, method, enctype, fields }, number) => {
    const frame = document.createElement("iframe");
    frame.name = `frame-${number}`;
    const form = Object.assign(document.createElement("form"), { action: url, method, enctype, target: frame.name });
    for (const [name, value] of Object.entries(fields)) {
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    }
    document.body.append(frame, form);
    form.submit();
  });
}

/** Sends one in place of the page. */
export function sendFormInPlace({ url, method, enctype, fields }) {
  const form = Object.assign(document.createElement("form"), { action: url, method, enctype });
  for (const [name, value] of Object.entries(fields)) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  document.body.append(form);
  form.submit();
}

/** Sends forms from an origin that has no name: a sandboxed frame, or one of a `data:` URL. */
export function sendFormsFromNowhere({ forms, kind, code }) {
  const html = `<!doctype html><body><script>(${code})(${JSON.stringify(forms).replaceAll("<", "\\u003c")})</script>`;
  const frame = document.createElement("iframe");
  if (kind === "sandbox") {
    frame.sandbox = "allow-scripts allow-forms";
    frame.srcdoc = html;
  } else {
    frame.src = `data:text/html,${encodeURIComponent(html)}`;
  }
  document.body.append(frame);
}

/** What scripts send without asking: `fetch` with `no-cors`, and beacons. */
export async function sendBlindly(requests) {
  const all = requests.flatMap(({ url, fields }) => [
    fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body: new URLSearchParams(fields) }),
    fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body: JSON.stringify(fields) }),
    fetch(url, { method: "POST", mode: "no-cors", credentials: "include", referrerPolicy: "no-referrer" }),
    navigator.sendBeacon(url, new URLSearchParams(fields)),
  ]);
  await Promise.allSettled(all);
}

/** What scripts may send only once they were allowed to; answers what of it they could read. */
export async function sendAsAClient(requests) {
  const all = requests.flatMap(({ url, fields }) =>
    ["POST", "PUT", "DELETE"].map(async (method) => {
      const headers = { "content-type": "application/json", "revolve-tokens": "cookie" };
      await fetch(url, { method, credentials: "include", headers, body: JSON.stringify(fields) });
      return `${method} ${url}`;
    }),
  );
  const sent = await Promise.allSettled(all);
  return sent.filter(({ status }) => status === "fulfilled").map(({ value }) => value);
}

/** Loads addresses in every way that a page has; answers those that it could read. What frames show is seen from outside. */
export async function load(urls) {
  const embed = (name, attribute, url, more = {}) =>
    new Promise((over) => {
      const element = Object.assign(document.createElement(name), more, { [attribute]: url });
      element.onload = () => over(`${name} ${url}`);
      element.onerror = () => over(undefined);
      document.body.append(element);
    });
  const all = urls.flatMap((url) => [
    embed("img", "src", url),
    embed("script", "src", url),
    embed("link", "href", url, { rel: "stylesheet" }),
    fetch(url, { mode: "no-cors", credentials: "include" }).then(() => undefined),
    fetch(url, { credentials: "include" }).then(({ status }) => `fetch ${status} ${url}`),
  ]);
  for (const url of urls) {
    document.body.append(Object.assign(document.createElement("iframe"), { src: url }));
    for (const rel of ["prefetch", "prerender", "preload"]) {
      document.head.append(Object.assign(document.createElement("link"), { rel, href: url, as: "image" }));
    }
  }
  const eager = [{ urls, eagerness: "immediate" }];
  const rules = Object.assign(document.createElement("script"), { type: "speculationrules" });
  rules.textContent = JSON.stringify({ prefetch: eager, prerender: eager });
  document.head.append(rules);
  const done = await Promise.allSettled(all);
  return done.map(({ value }) => value).filter(Boolean);
}
