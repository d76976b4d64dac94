import path from "node:path";
import { silentLogger } from "@cortex-os/mcp-core";
import { loadConfig } from "../config/load.js";
import { configJsonSchema } from "../config/schema.js";
import { jsonText } from "../output.js";
import { maskConfig } from "../secrets.js";
import { openMapKeys } from "../service-map/map-keys.js";
import { mapSettings } from "../service-map/map-settings.js";
import { statePaths } from "../state/state-paths.js";
import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";

/** The words that may follow `config`. */
export const registerConfigWords: RegisterCommand = (config, { io, finish }) => {
  withJson(config.command("validate"))
    .description("check config.json and the environment")
    .argument("[file]", "another file to check")
    .action(async (file: string | undefined, { json }: JsonFlag) => {
      const { config: own } = statePaths(io.env);
      const checked = file === undefined ? own : path.resolve(io.cwd, file);
      const effective = await loadConfig({
        file: checked,
        fileRequired: file !== undefined,
        env: io.env,
        cwd: io.cwd,
        flags: {},
      });
      const map = mapSettings(effective, io.env);
      if (map !== undefined) await openMapKeys(map, silentLogger);
      const shown = { file: checked, config: maskConfig(effective) };
      io.out(json ? jsonText(shown) : `${checked} and the environment are valid.`);
      finish(0);
    });
  withJson(config.command("schema"))
    .description("print the JSON Schema of config.json")
    .action(() => {
      io.out(jsonText(configJsonSchema()));
      finish(0);
    });
  withJson(config.command("path"))
    .description("print where config.json is read from")
    .action(({ json }: JsonFlag) => {
      const { config: file } = statePaths(io.env);
      io.out(json ? jsonText({ config: file }) : file);
      finish(0);
    });
};
