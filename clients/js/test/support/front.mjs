// What stands between clients and the service: it forwards, counts, and fails as networks and proxies do. It serves the client, an empty
// page and the example as well.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, request as send } from "node:http";

const at = (path) => new URL(`../../${path}`, import.meta.url);
const FILES = new Map([
  ["/client.js", at("dist/index.js")],
  ["/factors.js", at("dist/factors.js")],
  ["/example/", at("../../examples/web/index.html")],
  ["/example/revolve-client.js", at("../../examples/web/revolve-client.js")],
  ["/example/revolve-factors.js", at("../../examples/web/revolve-factors.js")],
]);
const PAGE = "<!doctype html><title>test</title>";
const API = "/api/account/";

export class Front {
  /** What was asked of the API: `{ call: "POST tokens", headers, body }`. */
  requests = [];
  #host;
  #service;
  #faults = [];
  #server = createServer((request, response) => {
    this.#serve(request, response).catch(() => response.destroy());
  });

  /** Listens on this name of the machine; it forwards once it knows the service. */
  static async open(host = "127.0.0.1") {
    const front = new Front();
    front.#host = host;
    front.#server.listen(0, "127.0.0.1");
    await once(front.#server, "listening");
    return front;
  }

  get url() {
    return `http://${this.#host}:${this.#server.address().port}`;
  }

  leadTo(service) {
    this.#service = new URL(service);
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** How often something was asked for, such as `POST tokens`, and whatever was answered. */
  count(call) {
    return this.requests.filter((request) => request.call === call).length;
  }

  /**
   * The next so many times that something is asked for, does this with it: `refuse` (no connection), `lose` (the service answers, the
   * client gets nothing), `{ status, headers, body }` (another answer; the service is not asked), or a function that gets `forward`
   * and may wait before and after it.
   */
  fail(call, fault, times = 1) {
    this.#faults.push({ call, fault, times });
  }

  /** The service can be reached again. */
  heal() {
    this.#faults = [];
  }

  /** Holds the next answer of the service back until `release` is called; `held` resolves when it is there. */
  hold(call) {
    let release, arrived;
    const held = new Promise((resolve) => (arrived = resolve));
    const released = new Promise((resolve) => (release = resolve));
    this.fail(call, async (forward) => {
      const answer = await forward();
      arrived();
      await released;
      return answer;
    });
    return { held, release };
  }

  async #serve(request, response) {
    const { pathname } = new URL(request.url, this.url);
    if (!pathname.startsWith(API)) return this.#page(pathname, response);
    const body = Buffer.concat(await request.toArray());
    const call = `${request.method} ${pathname.slice(API.length)}`;
    const { headers } = request;
    this.requests.push({ call, headers, body: body.toString() });
    const answer = await this.#answer(call, () => this.#forward(request, body));
    if (!answer) return response.destroy();
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  async #answer(call, forward) {
    const fault = this.#faults.find((fault) => fault.call === call);
    if (!fault) return forward();
    fault.times -= 1;
    if (fault.times === 0) this.#faults.splice(this.#faults.indexOf(fault), 1);
    switch (fault.fault) {
      case "refuse":
        return undefined;
      case "lose":
        await forward();
        return undefined;
      default:
        return typeof fault.fault === "function"
          ? fault.fault(forward)
          : fault.fault;
    }
  }

  async #forward({ method, url, headers }, body) {
    const { hostname, port } = this.#service;
    const request = send({ hostname, port, method, path: url, headers });
    request.end(body);
    const [answer] = await once(request, "response");
    return {
      status: answer.statusCode,
      headers: answer.headersDistinct,
      body: Buffer.concat(await answer.toArray()),
    };
  }

  async #page(pathname, response) {
    const file = FILES.get(pathname);
    const type = pathname.endsWith(".js") ? "text/javascript" : "text/html";
    response.writeHead(200, { "content-type": type });
    response.end(file ? await readFile(file) : PAGE);
  }
}
