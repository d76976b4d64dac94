import { PIXEL_PNG } from "../pixel.js";
import { authorityOf } from "../resources/authority.js";
import type { Prompt } from "./prompt.js";

/** An image and an embedded resource, with members that no specification knows. */
export const picture = (serverName: string): Prompt => ({
  definition: {
    name: "picture",
    title: "Picture",
    description: "Shows an image and a resource.",
    _meta: { "com.example/picture": true },
  },
  get: () => ({
    messages: [
      { role: "user", content: { type: "image", data: PIXEL_PNG, mimeType: "image/png" } },
      {
        role: "user",
        content: {
          type: "resource",
          resource: {
            uri: `${authorityOf(serverName)}/hello`,
            mimeType: "text/plain",
            text: `hello from ${serverName}`,
            "x-extra": { kept: true },
          },
        },
      },
    ],
  }),
});
