import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { freePort } from "./free-port.js";
import { cacheFolder } from "./program-paths.js";
import type { Servers } from "./server-process.js";
import type { Endpoint } from "./subject.js";

const run = promisify(execFile);
const CONNECTIONS = 1_024;

/**
 * Starts nginx as a plain proxy before `upstream`: one process without a master, connections kept alive on both sides, bytes passed on as they come.
 * @throws Error when there is none here and none could be had
 */
export async function startNginx({ folder, startAt }: Servers, upstream: string): Promise<Endpoint> {
  const program = await nginxPath();
  const port = await freePort();
  const own = path.join(folder, "nginx");
  await mkdir(path.join(own, "temporary"), { recursive: true });
  const { host, pathname } = new URL(upstream);
  const config = path.join(own, "nginx.conf");
  await writeFile(config, nginxConfig(own, port, host));
  const args = ["-c", config, "-p", own, "-e", path.join(own, "error.log")];
  return { ...(await startAt(`http://127.0.0.1:${port}${pathname}`, program, args)), prefix: "" };
}

/** The configuration, whole. */
function nginxConfig(folder: string, port: number, upstream: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `  ${name}_temp_path ${folder}/temporary/${name};`,
  );
  return `daemon off;
master_process off;
pid ${folder}/nginx.pid;
events { worker_connections ${CONNECTIONS}; }
http {
${temporary.join("\n")}
  access_log off;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  upstream behind { server ${upstream}; keepalive 128; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 0;
    location / {
      proxy_pass http://behind;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_request_buffering off;
    }
  }
}
`;
}

/** The system's own, or Debian's package unpacked beside the benchmark's other files. */
async function nginxPath(): Promise<string> {
  for (const known of ["nginx", unpacked()]) {
    if (await answers(known)) return known;
  }
  const folder = path.join(cacheFolder, "nginx");
  await mkdir(folder, { recursive: true });
  await run("apt-get", ["download", "nginx"], { cwd: folder });
  await run("sh", ["-c", 'for package in nginx_*.deb; do dpkg-deb -x "$package" .; done'], { cwd: folder });
  return unpacked();
}

const unpacked = (): string => path.join(cacheFolder, "nginx", "usr", "sbin", "nginx");

async function answers(program: string): Promise<boolean> {
  try {
    await run(program, ["-v"]);
    return true;
  } catch {
    return false;
  }
}
