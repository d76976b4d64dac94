import { describe, expect, test } from "vitest";
import { lockTextStart, newLockToken, parseLockText, shortIdentity } from "../lock-text.js";
import type { ProcessIdentity } from "../process-identity.js";

const BOOT = "0b5c1b1e-6a33-4c39-a5be-6e0f2f5a7a11";
const self: ProcessIdentity = {
  pid: 4_194_304,
  host: "ip-10-0-1-23.eu-west-1.compute.internal",
  bootId: BOOT,
  namespace: "pid:[4026531836]",
  startTime: "999999999",
};

describe("the text of a lock", () => {
  test("says who holds it, and says the same when it is read", () => {
    const holder = shortIdentity(self);
    for (const thread of [undefined, 0, 7]) {
      const token = newLockToken();
      expect(parseLockText(lockTextStart(holder, thread) + token)).toEqual({ holder, thread, token });
    }
  });

  test("fits into an inode, whatever the machine is called", () => {
    const text = lockTextStart(shortIdentity(self), 1) + newLockToken();
    expect(Buffer.byteLength(text)).toBeLessThan(60);
  });

  test("what a platform does not tell stays untold", () => {
    const plain = { pid: 1, host: "h", bootId: "", namespace: "", startTime: "" };
    expect(shortIdentity(plain)).toEqual(plain);
    expect(parseLockText(`${lockTextStart(plain, undefined)}0123456789`)?.holder).toEqual(plain);
  });

  test("short forms differ where the long ones did", () => {
    const others = [
      { ...self, host: `${self.host}.` },
      { ...self, bootId: BOOT.replace("0", "1") },
      { ...self, namespace: "pid:[4026531837]" },
    ];
    for (const other of others) expect(shortIdentity(other)).not.toEqual(shortIdentity(self));
    expect(shortIdentity(self).host).toMatch(/^ip-10~[\w-]{6}$/);
    expect(shortIdentity({ ...self, host: "a,b/c" }).host).toMatch(/^abc~[\w-]{6}$/);
    expect(shortIdentity({ ...self, host: "pod" }).host).toBe("pod");
  });

  test.each(["", "/etc/passwd", "1,h,b,n,s,0,../../../../x", "1,h,b,n,s,0,short", ",h,b,n,s,0,0123456789", "{}"])(
    "%j is none of ours",
    (text) => {
      expect(parseLockText(text)).toBeUndefined();
    },
  );

  test("no two tokens are alike", () => {
    const tokens = Array.from({ length: 5_000 }, newLockToken);
    expect(new Set(tokens).size).toBe(5_000);
  });
});
