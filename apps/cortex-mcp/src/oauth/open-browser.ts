import { spawn } from "node:child_process";

/** What opens a URL in the browser of its owner. */
const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ["open"],
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
};
const ELSEWHERE: readonly [string, ...string[]] = ["xdg-open"];

/** Opens one of our own URLs in the browser, without a shell. Whether that worked nobody knows: the URL is printed, too. */
export function openBrowser(url: string, platform: NodeJS.Platform = process.platform): void {
  const [command, ...args] = OPENERS[platform] ?? ELSEWHERE;
  const child = spawn(command, [...args, url], { stdio: "ignore", detached: true });
  child.on("error", () => {});
  child.unref();
}
