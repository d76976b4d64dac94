/** An error as Node makes it of a failed system call. */
export function systemError(code: string, call: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: simulated, ${call} '${path}'`), { code, syscall: call, path });
}

/** What every call of a process throws from the moment on at which the simulation killed it: nobody is there to catch it. */
export class ProcessKilled extends Error {
  override readonly name = "ProcessKilled";

  constructor() {
    super("the simulated process is dead");
  }
}
