import { CODE, RpcFailure } from "../rpc-failure.js";
import type { Feature } from "./feature.js";

/** Methods that no specification knows: whoever passes methods on has to let them through, and what comes of them. */
export const vendorFeature: Feature = {
  methods: {
    "fixture/echo": ({ params }) => ({ result: { params } }),
    "fixture/refuse": ({ params }) => {
      const { code, message, data } = params;
      if (typeof code !== "number" || typeof message !== "string")
        throw new RpcFailure(CODE.invalidParams, "code must be a number and message a string");
      throw new RpcFailure(code, message, { data });
    },
  },
  capabilities: () => ({}),
};
