import { Pool } from "undici";
import { expect, onTestFinished, test } from "vitest";
import { HEADER_DISAGREEMENTS, OTHER_DISAGREEMENTS, type Disagreement } from "./support/disagreements.js";
import { startGateway } from "./support/gateway-process.js";
import { programHome } from "./support/program-home.js";
import { startRecordingUpstream } from "./support/recording-upstream.js";
import { bodyOf, draftRequest, oneOf, type RequestDraft } from "./support/request-draft.js";
import { seededRandom } from "./support/seeded-random.js";

/** How many requests disagree; `CORTEX_HEADER_REQUESTS=100000` is the long form. */
const DISAGREEING = Number(process.env["CORTEX_HEADER_REQUESTS"] ?? 5_000);
const SEED = Number(process.env["CORTEX_HEADER_SEED"] ?? 20_260_728);
/** One request in so many agrees. */
const AGREEING_EVERY = 8;
const CONNECTIONS = 8;

interface Generated {
  readonly draft: RequestDraft;
  readonly body: string;
  /** In what they disagree; `undefined` when they agree. */
  readonly what?: string;
  readonly codes: readonly number[];
}

const WAYS: readonly (readonly [what: string, apply: Disagreement, codes: readonly number[]])[] = [
  ...Object.entries(HEADER_DISAGREEMENTS).map(([what, apply]) => [what, apply, [-32_020]] as const),
  ...Object.entries(OTHER_DISAGREEMENTS).map(
    ([what, apply]) => [what, apply, [-32_020, -32_600, -32_602, -32_700]] as const,
  ),
];

function* generate(seed: number, disagreeing: number): Generator<Generated> {
  const random = seededRandom(seed);
  for (let made = 0; made < disagreeing;) {
    const draft = draftRequest(`${seed}-${made}-${random.next()}`, random);
    if (random.next() < 1 / AGREEING_EVERY) {
      yield { draft, body: bodyOf(draft), codes: [] };
      continue;
    }
    const [what, apply, codes] = oneOf(random, WAYS);
    const body = apply(draft, random);
    if (body === false) continue;
    made += 1;
    yield { draft, body: body === true ? bodyOf(draft) : body, what, codes };
  }
}

test(`R22: of ${DISAGREEING} requests whose headers and body disagree none is forwarded, and of those between them that agree every one`, async () => {
  const upstream = await startRecordingUpstream();
  onTestFinished(async () => upstream.close());
  const home = await programHome();
  await home.writeRegistry([{ name: "up", transport: "http", endpoint: upstream.url }]);
  const gateway = await startGateway(home);
  const pool = new Pool(new URL(gateway.url).origin, { connections: CONNECTIONS, pipelining: 1 });
  onTestFinished(async () => pool.close());

  const wrong: string[] = [];
  const counts = new Map<string, number>();
  const expected = new Set<string>();
  const askAll = async (requests: Iterable<Generated>): Promise<void> => {
    for (const { draft, body, what, codes } of requests) {
      counts.set(what ?? "agree", (counts.get(what ?? "agree") ?? 0) + 1);
      if (what === undefined && draft.isForwarded) expected.add(draft.marker);
      const headers = ["content-type", "application/json", "accept", "application/json, text/event-stream"];
      const answer = await pool.request({
        path: draft.path,
        method: "POST",
        headers: [...headers, ...draft.headers.flat()],
        body,
      });
      const text = await answer.body.text();
      const code = /"error":\{"code":(-?\d+)/.exec(text)?.[1];
      const isRight =
        what === undefined
          ? answer.statusCode === 200 && code === undefined
          : answer.statusCode === 400 && codes.includes(Number(code));
      if (!isRight) {
        wrong.push(`${what ?? "agree"}: ${JSON.stringify(draft.headers)} ${body}: ${answer.statusCode} ${text}`);
      }
    }
  };
  const requests = generate(SEED, DISAGREEING);
  await Promise.all(Array.from({ length: CONNECTIONS }, async () => askAll(requests)));

  expect(wrong.slice(0, 20)).toEqual([]);
  expect([...upstream.arrived.keys()].filter((marker) => !expected.has(marker))).toEqual([]);
  expect([...expected].filter((marker) => upstream.arrived.get(marker) !== 1)).toEqual([]);
  // Every way was tried, or the numbers would say less than they seem to.
  expect(WAYS.map(([what]) => what).filter((what) => (counts.get(what) ?? 0) < DISAGREEING / WAYS.length / 20)).toEqual(
    [],
  );
  expect(expected.size).toBeGreaterThan(DISAGREEING / AGREEING_EVERY / 2);
}, 1_200_000);
