import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { createConnectorAvailabilityGauge } from "../availability-gauge.js";
import { AvailabilityShare } from "../availability-share.js";

function setUp() {
  const gauge = createConnectorAvailabilityGauge(new Registry());
  const shown = async (): Promise<unknown> =>
    Object.fromEntries((await gauge.get()).values.map(({ labels, value }) => [labels.connector, value]));
  return { gauge, share: () => new AvailabilityShare(gauge), shown };
}

const of = (connectors: Record<string, boolean>): ReadonlyMap<string, boolean> => new Map(Object.entries(connectors));

describe("R15: a share of the availability gauge", () => {
  test("shows its connectors; the series of what left goes, at the end they are down", async () => {
    const { share, shown } = setUp();
    const one = share();
    one.set(of({ a: true, b: false, c: true }));
    expect(await shown()).toEqual({ a: 1, b: 0, c: 1 });
    one.set(of({ a: true, b: true }));
    expect(await shown()).toEqual({ a: 1, b: 1 });
    one.end();
    one.end();
    expect(await shown()).toEqual({ a: 0, b: 0 });
  });

  test("a connector that several have is up while it is up for one, and gone when the last one does not have it any more", async () => {
    const { share, shown } = setUp();
    const [one, two] = [share(), share()];
    one.set(of({ a: true }));
    two.set(of({ a: false }));
    expect(await shown()).toEqual({ a: 1 });
    one.set(of({}));
    expect(await shown()).toEqual({ a: 0 });
    one.set(of({ a: true }));
    two.set(of({}));
    expect(await shown()).toEqual({ a: 1 });
    two.set(of({ a: true }));
    one.end();
    expect(await shown()).toEqual({ a: 1 });
    two.set(of({}));
    expect(await shown()).toEqual({});
  });

  test("another gauge is another matter", async () => {
    const [here, there] = [setUp(), setUp()];
    here.share().set(of({ a: true }));
    const one = there.share();
    one.set(of({ a: true }));
    one.end();
    expect([await here.shown(), await there.shown()]).toEqual([{ a: 1 }, { a: 0 }]);
  });
});
