import type { SurfaceGateway } from "../support/surface-gateway.js";
import type { Heard, Members } from "./message.js";
import type { RawClient, RequestOptions } from "./raw-client.js";
import type { OpenWire } from "./wire.js";

/** Who a client of the matrix is. */
export interface ClientKind {
  /** As the table calls it. */
  readonly title: string;
  readonly revision: string;
  readonly era: "modern" | "legacy";
  readonly transport: "HTTP" | "stdio" | "HTTP+SSE";
  /** A connection of its own to a gateway, of which nobody else knows. */
  wire(gateway: SurfaceGateway): OpenWire;
  connect(gateway: SurfaceGateway): Promise<MatrixClient>;
}

/** A client of any revision over any transport, with all that the matrix asks of one. */
export interface MatrixClient {
  readonly heard: readonly Heard[];
  /** The same revision over the same transport without an SDK, which would refuse what it does not know: for what is said on the wire. */
  readonly raw: RawClient;
  /** What the server said of itself when they met. */
  readonly server: { readonly name: unknown; readonly capabilities: Members };
  /** One request, by the SDK's own method for it where it has one. @throws an error with the `code` and `data` of the answer */
  request(method: string, params: Members, options?: RequestOptions): Promise<Members>;
  /** Asks to hear of this resource, besides the changes of lists, of which it hears always. The returned function asks to hear of it no more. */
  watch(uri: string): Promise<() => Promise<void>>;
  /** Calls a tool that logs, in the way in which the era asks for log messages. */
  callLogging(name: string, args: Members): Promise<void>;
  close(): Promise<void>;
}
