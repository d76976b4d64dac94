import { withJson, type RegisterCommand } from "./command-context.js";
import type { LoginFlags } from "./actions/login.js";

/** `login NAME`: has a person authorise a server that wants OAuth. */
export const registerLogin: RegisterCommand = (program, { io, finish }) => {
  withJson(program.command("login"))
    .description("authorise a server that wants OAuth, in a browser")
    .argument("<name>", "the server's name")
    .option("--no-browser", "only print the address; open no browser")
    .action(async (name: string, flags: LoginFlags) => {
      const { login } = await import("./actions/login.js");
      finish(await login(io, name, flags));
    });
};
