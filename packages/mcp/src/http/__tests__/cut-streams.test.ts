import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { failOnLeaks } from "../../__tests__/support/gateway.js";
import { EventClient } from "./event-client.js";
import { event, PRIMED, SSE, UNPRIMED } from "./resumed-set-up.js";
import { startSink } from "./sink-set-up.js";

failOnLeaks();

/** What happens to the stream, one after the other. */
type Step = "event" | "comment" | "cut" | "back" | "taken over" | "sent away";

const steps = fc.array(
  fc.constantFrom<Step>("event", "event", "event", "comment", "cut", "back", "back", "taken over", "sent away"),
  { maxLength: 25 },
);

test.each([PRIMED, UNPRIMED])(
  "R22: wherever its connections are cut, what a client of $revision reads is the stream, each event once and in order",
  async (options) => {
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const set = await startSink((sink) => sink.start(200, SSE), options);
        let client: EventClient | undefined = new EventClient(set.port);
        const own = await set.sink();
        const read: string[] = [];
        let lastId: string | undefined;
        let sent = 0;
        /** The client has its place only when something told it where it is. */
        const note = (gone: EventClient): void => {
          read.push(...gone.data);
          lastId = gone.events.at(-1)?.id ?? lastId;
        };
        const say = async (): Promise<void> => {
          sent += 1;
          own.write(event(String(sent)));
          await Promise.resolve();
        };
        const leave = async (): Promise<void> => {
          if (client === undefined) return;
          await client.until(() => client?.status === 200 && (client.events.length > 0 || options !== PRIMED));
          client.close();
          await client.untilOver();
          note(client);
          client = undefined;
        };
        // Whoever was told nothing has nothing to come back with.
        await say();
        await client.untilData(1);
        for (const step of plan) {
          if (step === "event") await say();
          else if (step === "comment") own.write(Buffer.from(": hm\n\n"));
          else if (step === "cut") await leave();
          else if (step === "sent away") {
            const at: EventClient | undefined = client;
            if (options === PRIMED) await at?.until(() => at.events.length > 0);
            own.pollLater(1, () => {});
            if (options !== PRIMED || client === undefined) continue;
            await client.untilOver();
            note(client);
            client = undefined;
          } else if (client === undefined) client = new EventClient(set.port, lastId);
          else if (step === "taken over") {
            await client.untilData(client.data.length);
            const at: EventClient = client;
            await at.until(() => at.events.length > 0 || read.length === sent);
            const id = at.events.at(-1)?.id ?? lastId;
            const before = at.data.length;
            client = new EventClient(set.port, id);
            await at.untilOver();
            // What came on the connection before after the place the client named is said again: the client would not read it there.
            read.push(...at.data.slice(0, before));
            lastId = id;
          }
        }
        client ??= new EventClient(set.port, lastId);
        sent += 1;
        own.write(event(String(sent)));
        own.end();
        await client.untilOver();
        expect(client.isWhole).toBe(true);
        read.push(...client.data);
        expect(read).toEqual(Array.from({ length: sent }, (_, at) => String(at + 1)));
        await set.time.advance(10_000);
        await vi.waitFor(() => expect(set.time.pending).toBe(0));
        expect([set.exchange.cancelled, set.doneTimes()]).toEqual([[], 1]);
      }),
      { numRuns: 25 },
    );
  },
  120_000,
);
