import { FOLDER } from "./published-server.js";

/** `value` with the path `folder` wherever a string in it, however deep, says {@link FOLDER}. */
export function fillIn<T>(value: T, folder: string): T {
  const text = JSON.stringify(value).replaceAll(FOLDER, JSON.stringify(folder).slice(1, -1));
  return JSON.parse(text) as T;
}
