import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { buffer } from "node:stream/consumers";
import { once } from "node:events";
import { gunzipSync } from "node:zlib";
import type { IncomingMessage } from "node:http";
import { describe, expect, test, vi } from "vitest";
import { partOfTools } from "../../__tests__/support/parts.js";
import { toolOf } from "../../__tests__/support/test-upstreams.js";
import { Catalog } from "../../catalog/catalog.js";
import type { ListPage } from "../../catalog/list-pages.js";
import { startSink } from "./sink-set-up.js";

const FROM_ELSEWHERE = { "x-forwarded-for": "192.0.2.7" };
const TAKES_GZIP = { "accept-encoding": "gzip, deflate" };

function pageOf(tools: number): ListPage {
  const names = Array.from({ length: tools }, (_, at) => toolOf(`tool-${at}`));
  const page = new Catalog([partOfTools("a", names)]).page("tools", "modern", undefined);
  if (page === undefined) throw new Error("no page");
  return page;
}

interface Got {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

async function post(port: number, headers: Readonly<Record<string, string>>): Promise<Got> {
  const request = httpRequest({ port, host: "127.0.0.1", method: "POST", headers, agent: false });
  request.end("{}");
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return { headers: response.headers, body: await buffer(response) };
}

/** A server that answers every request with this page. */
async function serving(page: ListPage, id: string | number = "id-1"): Promise<number> {
  const { port } = await startSink((sink) => {
    sink.sendResult(id, page.pieces, page);
  });
  return port;
}

const answer = (page: ListPage, id: string | number = "id-1"): string =>
  `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${Buffer.concat(page.pieces).toString("utf8")}}`;

async function compressed(port: number): Promise<Got> {
  return vi.waitFor(async () => {
    const got = await post(port, { ...FROM_ELSEWHERE, ...TAKES_GZIP });
    expect(got.headers["content-encoding"]).toBe("gzip");
    return got;
  });
}

describe("a list over HTTP", () => {
  test("is compressed for a client elsewhere that takes gzip: every byte as it would be without", async () => {
    const page = pageOf(200);
    const { headers, body } = await compressed(await serving(page, 'q"ä'));
    expect(gunzipSync(body).toString("utf8")).toBe(answer(page, 'q"ä'));
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "content-length": String(body.length),
      vary: "accept-encoding",
    });
    expect(body.length).toBeLessThan(answer(page).length / 10);
  });

  test("is not waited for: as long as it is not compressed it comes as it is", async () => {
    const page = pageOf(200);
    const { headers, body } = await post(await serving(page), { ...FROM_ELSEWHERE, ...TAKES_GZIP });
    expect([headers["content-encoding"], headers["vary"]]).toEqual([undefined, "accept-encoding"]);
    expect(body.toString("utf8")).toBe(answer(page));
  });

  test("is read by fetch, which asks for it by itself", async () => {
    const page = pageOf(200);
    const port = await serving(page);
    await compressed(port);
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", headers: FROM_ELSEWHERE, body: "{}" });
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(await response.text()).toBe(answer(page));
  });

  test.each<[string, Record<string, string>]>([
    ["a client on this machine", TAKES_GZIP],
    ["one that does not ask for it", FROM_ELSEWHERE],
    ["one that refuses it", { ...FROM_ELSEWHERE, "accept-encoding": "deflate, gzip;q=0" }],
    ["one that takes another coding", { ...FROM_ELSEWHERE, "accept-encoding": "br, identity" }],
    ["one that would rather have events", { ...FROM_ELSEWHERE, ...TAKES_GZIP, accept: "text/event-stream" }],
  ])("comes as it is to %s, also when it is compressed", async (_who, headers) => {
    const page = pageOf(200);
    const port = await serving(page);
    await compressed(port);
    const got = await post(port, headers);
    expect(got.headers["content-encoding"]).toBeUndefined();
    expect(got.body.toString("utf8")).toContain(answer(page));
  });

  test("of a few tools is never compressed", async () => {
    const page = pageOf(3);
    expect(page.gzip(Buffer.from(""), Buffer.from(""))).toBeUndefined();
    const { body } = await post(await serving(page), { ...FROM_ELSEWHERE, ...TAKES_GZIP });
    expect(body.toString("utf8")).toBe(answer(page));
  });

  test("is compressed once: another request gets the same bytes in another envelope", async () => {
    const page = pageOf(200);
    await compressed(await serving(page));
    const [one, other] = [1, 2].map((id) => page.gzip(Buffer.from(String(id)), Buffer.from("}")));
    expect(one?.[1]).toBeDefined();
    expect(other?.[1]).toBe(one?.[1]);
  });
});
