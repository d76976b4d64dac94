import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { RefreshCircuit } from "../refresh-circuit.js";

function failing(times: number): { circuit: RefreshCircuit; time: ManualTime } {
  const time = new ManualTime();
  const circuit = new RefreshCircuit(time);
  for (let count = 0; count < times; count++) circuit.failed();
  return { circuit, time };
}

describe("the circuit of the service map (R6)", () => {
  test("stays closed for two failures and opens with the third, for 10 s", async () => {
    expect(failing(2).circuit).toMatchObject({ state: "closed", failures: 2, retryInMs: 0 });
    const { circuit, time } = failing(3);
    expect(circuit).toMatchObject({ state: "open", failures: 3, retryInMs: 10_000 });
    await time.advance(9_999);
    expect(circuit.state).toBe("open");
    await time.advance(1);
    expect(circuit).toMatchObject({ state: "half-open", retryInMs: 0 });
  });

  test("is open twice as long after each failed probe, up to a minute", async () => {
    const { circuit, time } = failing(3);
    const cools: number[] = [];
    for (let probe = 0; probe < 5; probe++) {
      cools.push(circuit.retryInMs);
      await time.advance(circuit.retryInMs);
      expect(circuit.state).toBe("half-open");
      circuit.failed();
    }
    expect(cools).toEqual([10_000, 20_000, 40_000, 60_000, 60_000]);
    expect(circuit.failures).toBe(8);
  });

  test("closes with one success and forgets how long it was open", async () => {
    const { circuit, time } = failing(3);
    await time.advance(10_000);
    circuit.failed();
    circuit.succeeded();
    expect(circuit).toMatchObject({ state: "closed", failures: 0, retryInMs: 0 });
    for (let count = 0; count < 3; count++) circuit.failed();
    expect(circuit.retryInMs).toBe(10_000);
  });

  test("a person's failed try while it is open changes nothing", async () => {
    const { circuit, time } = failing(3);
    await time.advance(4_000);
    circuit.failed();
    expect(circuit).toMatchObject({ state: "open", failures: 3, retryInMs: 6_000 });
  });

  test("a wall clock that jumps neither opens nor closes it", () => {
    const { circuit, time } = failing(3);
    time.jump(3_600_000);
    expect(circuit.retryInMs).toBe(10_000);
    time.jump(-7_200_000);
    expect(circuit.retryInMs).toBe(10_000);
  });
});
