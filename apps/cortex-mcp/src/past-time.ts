import { userError } from "./user-error.js";

const AGO = /^(\d{1,9})([smhd])$/;
const LOCAL = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?$/;
const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * A time in the past as a person writes it, in milliseconds since the epoch: RFC 3339 (`2026-11-30T14:05:00Z`), by this machine's clock (`2026-11-30 14:05`, seconds if
 * need be), or how long ago it was (`90s`, `10m`, `2h`, `3d`).
 *
 * @throws GatewayError USER_INPUT with examples when it is none of these, or has not come yet
 */
export function pastTime(text: string, nowMs: number): number {
  const atMs = agoMs(text, nowMs) ?? localMs(text) ?? rfc3339Ms(text);
  if (atMs === undefined || Number.isNaN(atMs)) {
    throw userError(
      `${JSON.stringify(text)} is no time; write it like 2026-11-30T14:05:00Z, '2026-11-30 14:05' or 10m, 2h, 3d (so long ago)`,
    );
  }
  if (atMs <= nowMs) return atMs;
  throw userError(`${JSON.stringify(text)} has not come yet: it is ${new Date(nowMs).toISOString()} now`);
}

function agoMs(text: string, nowMs: number): number | undefined {
  const [, count, unit = ""] = AGO.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  return unitMs === undefined ? undefined : Math.max(0, nowMs - Number(count) * unitMs);
}

function localMs(text: string): number | undefined {
  const [year, month, day, hour, minute, second] = fieldsOf(LOCAL, text);
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const date = new Date(year, month - 1, day, hour, minute, second);
  const said = [date.getFullYear(), date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes()];
  // What the calendar or a change of the clocks does not have comes out as another time.
  const isThere = said.join() === [year, month, day, hour, minute].join() && date.getSeconds() === second;
  return isThere ? date.getTime() : undefined;
}

function rfc3339Ms(text: string): number | undefined {
  const [year, month, day] = fieldsOf(RFC_3339, text);
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCMonth() + 1 !== month || date.getUTCDate() !== day) return undefined;
  return Date.parse(text.replace(" ", "T").toUpperCase());
}

/** The numbers in `text`, those that are left out being 0; none when it is of another form. */
const fieldsOf = (form: RegExp, text: string): readonly number[] =>
  (form.exec(text) ?? []).slice(1).map((digits: string | undefined) => Number(digits ?? 0));
