/**
 * The small shell that stands between the gateway and a server (design.md, contracts: Children). `$@` is the server's own argv,
 * never parsed.
 *
 * Line 1: the shell's own remarks ("Terminated") must not show up on the server's stderr.
 * Line 2: the watcher reads descriptor 3, whose other end only the gateway holds. At end of file, however the gateway died, it
 * kills its own process group: the server, what the server started, this shell and itself. It holds no stream of the
 * server's, or the end of the server's output would never be seen, and it outlives a SIGTERM to the group.
 * Line 3: a handler, not "ignore", which the server would inherit. It lets the shell wait for a server that is still ending.
 * Line 4: the server runs without the lifeline. It is waited for and not `exec`ed, and in the foreground, because one in the
 * background would be started with SIGINT ignored.
 * Lines 5 to 7: when the server has ended the watcher is reaped here, so that no zombie is left where process 1 does not reap (a
 * container without an init), and the exit code is passed on.
 */
const SCRIPT = `exec 4>&2 2>/dev/null
(trap '' TERM HUP INT; read -r line <&3; kill -KILL 0) </dev/null >/dev/null 4>&- &
trap : TERM HUP INT
(exec "$@" 2>&4 3<&- 4>&-)
code=$?
kill -KILL $!; wait $!
exit $code`;

/** Which descriptor of the child is its lifeline. */
export const LIFELINE_FD = 3;

/** The argv that starts `file` with `args` behind a lifeline. `file` is an absolute path, lest the shell take it for a builtin. */
export function behindLifeline(
  file: string,
  args: readonly string[],
): { readonly file: string; readonly args: string[] } {
  return { file: "/bin/sh", args: ["-c", SCRIPT, "cortex-mcp-lifeline", file, ...args] };
}
