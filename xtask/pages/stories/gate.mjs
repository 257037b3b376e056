// What browsers talk to: servers that remember what was said, one of them in front of the service.

import { once } from "node:events";
import { Agent, createServer, request as send } from "node:http";

const PATIENCE = 15_000;

/** A page of a front end, without anything that would be loaded. */
export const BLANK = { type: "text/html", body: '<!doctype html><link rel="icon" href="data:,"><title>Front end</title>' };

/** A server of any hosts. */
export class Site {
  /** In the order of arrival: `{ method, path, headers, body }`, and once it was answered `{ status, answer: { headers, body } }`. */
  exchanges = [];
  #watching = new Set();
  #server = createServer((request, response) => {
    this.#serve(request, response).catch(() => response.destroy());
  });

  /** `files`: what is served, by path, as `{ type, body }`. */
  constructor(files = {}) {
    this.files = files;
  }

  /** Listens on a port of this machine. */
  async open() {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  get port() {
    return this.#server.address().port;
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** Waits until `count` exchanges after the first `since` are as they should be, and returns them. */
  until(what, isIt, { count = 1, since = 0 } = {}) {
    return new Promise((resolve, reject) => {
      const found = new Set();
      const end = (settle) => {
        clearTimeout(timer);
        this.#watching.delete(look);
        settle();
      };
      const look = (exchange) => {
        if (isIt(exchange)) {
          found.add(exchange);
        }
        if (found.size >= count) {
          end(() => resolve([...found]));
        }
      };
      const late = () => end(() => reject(new Error(`only ${found.size} of ${count}: ${what}`)));
      const timer = setTimeout(late, PATIENCE);
      this.#watching.add(look);
      this.exchanges.slice(since).forEach(look);
    });
  }

  /** Waits until everything is answered that was asked after the first `since`. */
  async quiet(since) {
    const asked = this.exchanges.slice(since);
    if (asked.length > 0) {
      await this.until("answers to all that was asked", ({ status }) => status, { count: asked.length, since });
    }
  }

  /** What is answered to a request. */
  async answer({ path }) {
    const file = this.files[path.split("?")[0]];
    return file
      ? { status: 200, headers: { "content-type": file.type, "access-control-allow-origin": "*" }, body: file.body }
      : { status: 404, headers: {}, body: "" };
  }

  async #serve(request, response) {
    const body = Buffer.concat(await request.toArray()).toString();
    const { method, url: path, headers, rawHeaders } = request;
    const exchange = { method, path, headers, rawHeaders, body };
    this.exchanges.push(exchange);
    this.#tell(exchange);
    const { status, headers: sent, body: said } = await this.answer(exchange);
    exchange.status = status;
    exchange.answer = { headers: sent, body: said.toString() };
    this.#tell(exchange);
    await this.release?.(exchange);
    response.writeHead(status, sent).end(said);
  }

  #tell(exchange) {
    for (const look of [...this.#watching]) {
      look(exchange);
    }
  }
}

/** The service as browsers reach it, with files of its own origin beside. */
export class Gate extends Site {
  #agent = new Agent({ keepAlive: true });
  #held = [];

  /** Where the service is. */
  leadTo(url) {
    this.service = new URL(url);
  }

  close() {
    super.close();
    this.#agent.destroy();
  }

  /** The next answers to such requests are held back until so many of them have come. */
  gather(isIt, count) {
    const gathered = this.until("requests that are answered together", (exchange) => exchange.status && isIt(exchange), {
      count,
      since: this.exchanges.length,
    });
    const rule = { isIt, gathered };
    this.#held.push(rule);
    const over = () => this.#held.splice(this.#held.indexOf(rule), 1);
    gathered.then(over, over);
    return gathered;
  }

  /** Holds an answer back as long as it has to be. */
  async release(exchange) {
    const rule = this.#held.find(({ isIt }) => isIt(exchange));
    await rule?.gathered.catch(() => {});
  }

  async answer(exchange) {
    const own = await super.answer(exchange);
    return own.status === 200 ? own : this.forward(exchange);
  }

  /** Sends a request to the service, as a browser has sent it before, or another one. */
  async forward({ method, path, headers, body }) {
    const { hostname, port } = this.service;
    const request = send({ hostname, port, method, path, headers, agent: this.#agent });
    request.end(body);
    const [answer] = await once(request, "response");
    const said = Buffer.concat(await answer.toArray());
    const { "transfer-encoding": _, connection, "keep-alive": __, ...kept } = answer.headersDistinct;
    return { status: answer.statusCode, headers: kept, body: said };
  }
}
