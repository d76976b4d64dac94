import { Gauge, register, Registry } from "prom-client";
import { beforeEach, describe, expect, test } from "vitest";
import {
  createConnectorAvailabilityGauge,
  globalAvailabilityGauge,
  setConnectorAvailabilityGauge,
} from "../availability-gauge.js";

beforeEach(() => {
  register.clear();
});

describe("the availability gauge (R15)", () => {
  test("goes up and down in any registry, and leaves the global one alone", async () => {
    const registry = new Registry();
    const gauge = createConnectorAvailabilityGauge(registry);
    setConnectorAvailabilityGauge("a", true, gauge);
    expect(await registry.metrics()).toContain('brainwav_mcp_connector_proxy_up{connector="a"} 1');
    setConnectorAvailabilityGauge("a", false, gauge);
    expect(await registry.metrics()).toContain('brainwav_mcp_connector_proxy_up{connector="a"} 0');
    expect(await register.metrics()).not.toContain("brainwav");
  });

  test("is made in the global register on first use, once, and again after that was cleared", async () => {
    setConnectorAvailabilityGauge("a", true);
    setConnectorAvailabilityGauge("b", false);
    const text = await register.metrics();
    expect(text).toContain('brainwav_mcp_connector_proxy_up{connector="a"} 1');
    expect(text).toContain('brainwav_mcp_connector_proxy_up{connector="b"} 0');
    expect(globalAvailabilityGauge()).toBe(globalAvailabilityGauge());
    register.clear();
    setConnectorAvailabilityGauge("c", true);
    expect(await register.metrics()).toContain('brainwav_mcp_connector_proxy_up{connector="c"} 1');
  });

  test("a gauge that the program already has under that name is used", async () => {
    const own = new Gauge({ name: "brainwav_mcp_connector_proxy_up", help: "own", labelNames: ["connector"] });
    setConnectorAvailabilityGauge("a", true);
    expect((await own.get()).values).toEqual([{ labels: { connector: "a" }, value: 1 }]);
  });
});
