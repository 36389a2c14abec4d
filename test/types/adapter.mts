// Adapters, and what a hub says of them. Compiled, never run.

import { createHub } from 'fanline';
import type { Adapter, AdapterHost, AdapterLink, Incoming, Outgoing, Presence } from 'fanline';
import { clusterAdapter, setupPrimary } from 'fanline/cluster';
import type { ClusterOptions } from 'fanline/cluster';
import { redisAdapter } from 'fanline/redis';

setupPrimary();
const options: ClusterOptions = { prefix: 'chat', maxLen: 1, maxBytes: 1, maxPendingBytes: 1 };
const hub = createHub({ adapter: clusterAdapter(options) });
createHub({ adapter: clusterAdapter() });
createHub({ adapter: undefined });
// @ts-expect-error no such option
clusterAdapter({ maxAge: 1 });
// @ts-expect-error not an adapter
createHub({ adapter: { maxPendingBytes: 1 } });
// @ts-expect-error it takes nothing
setupPrimary({});

// clients of Redis, as far as it needs them
declare const ioredis: {
  callBuffer(command: string, ...args: (string | Buffer)[]): Promise<unknown>;
  duplicate(override?: { db: number }): unknown;
};
declare const nodeRedis: {
  sendCommand(args: readonly string[]): Promise<unknown>;
  duplicate(): unknown;
};
createHub({ adapter: redisAdapter(ioredis, { maxAge: 60_000, maxLen: 1 }) });
createHub({ adapter: redisAdapter(nodeRedis) });
// @ts-expect-error not a client
redisAdapter('redis://localhost');
// @ts-expect-error misspelt
redisAdapter(ioredis, { maxlen: 1 });

hub.on('adapter', ({ state, error }) => {
  const is: 'ready' | 'down' = state;
  const why: string | undefined = error?.message;
  return [is, why];
});

const presence: Presence = await hub.presence({ room: 'x', limit: 10, after: 'id' });
const ids: string[] = presence.clients.map(({ id }) => id);
const users: (string | undefined)[] = presence.clients.map(({ user }) => user);
const after: string | undefined = presence.next ?? undefined;
await hub.presence({ user: 'ada', after });
await hub.presence();
// @ts-expect-error misspelt
await hub.presence({ rooms: 'x' });
void [ids, users];

// one of one's own
class Link implements AdapterLink {
  private readonly host: AdapterHost;
  constructor(host: AdapterHost) {
    this.host = host;
    host.started('1-0');
    host.state('ready');
    host.state('down', new Error('gone'));
  }
  async publish(first: number, sends: readonly Outgoing[]): Promise<string[]> {
    const entries = sends.map(
      ({ head, data }, i): Incoming => ({ id: `1-${i}`, number: first + i, head, data }),
    );
    await this.host.received(entries);
    await this.host.lost('1-1');
    return entries.map(({ id }) => id);
  }
  async read(_after: string, count: number) {
    const entries: Incoming[] = [];
    return { isWhole: true, entries: entries.slice(0, count) };
  }
  async processes() {
    return [this.host.process];
  }
  async answer(_process: string, text: string) {
    this.host.answered(text);
  }
  async admit(_user: string, clients: number, limit: number) {
    return clients <= limit;
  }
  async close() {}
}
const own: Adapter = { maxPendingBytes: 1, open: (host) => new Link(host) };
createHub({ adapter: own });
// @ts-expect-error without a link
const broken: Adapter = { maxPendingBytes: 1, open: () => ({}) };
void broken;
