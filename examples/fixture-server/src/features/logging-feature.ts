import type { Feature } from "./feature.js";

/** Log messages ahead of an answer. Their level is a matter of the request or of the session, so it has no method here. */
export const loggingFeature: Feature = {
  methods: {},
  capabilities: ({ logging }) => (logging ? { logging: {} } : {}),
};
