import type { OAuthPerson } from "@cortex-os/mcp-bridge";

/** Where the suite's authorization servers send browsers back to; nobody listens there. */
const REDIRECT_URL = "http://localhost:3000/callback";

/** Plays the person in front of a browser: the suite's authorization servers ask nothing and redirect at once. */
export const headlessPerson: OAuthPerson = {
  receive: async () => ({
    redirectUrl: REDIRECT_URL,
    visit: async (url) => {
      const { headers } = await fetch(url, { redirect: "manual" });
      return new URL(headers.get("location") ?? REDIRECT_URL).searchParams;
    },
    close: async () => {},
  }),
};
