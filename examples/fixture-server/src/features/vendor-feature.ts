import type { Feature } from "./feature.js";

/** A method that no specification knows: whoever passes methods on has to let it through. */
export const vendorFeature: Feature = {
  methods: { "fixture/echo": ({ params }) => ({ result: { params } }) },
  capabilities: () => ({}),
};
