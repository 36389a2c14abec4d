// fanline/testing, as an ES module sees it.

import http from 'node:http';
import testing, { type TestEvent, type TestStream, closeAll, open } from 'fanline/testing';

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <_T extends true>(): void => {};

const stream = await open('http://localhost/', { lastEventId: '5' });
is<Same<typeof stream, TestStream>>();
is<Same<typeof testing.open, typeof open>>();
await open(new URL('http://localhost/'));
await open(http.createServer(), '/events', { method: 'POST', body: { a: 1 }, timeout: 100 });
await open((_req: http.IncomingMessage, res: http.ServerResponse) => res.end(), '/');
await open({ fetch: (request: Request) => new Response(request.body) }, '/x', {
  headers: { A: 'b' },
});
await open({ callback: () => (_req: unknown, _res: unknown) => {} });

const event = await stream.next();
is<Same<typeof event, TestEvent | null>>();
is<Same<Awaited<ReturnType<typeof stream.data>>, string[]>>();
const status: number = stream.status;
const type: string | undefined = stream.headers['content-type'];
for await (const { data, event: name, id } of stream) void [data, name, id, status, type];
await stream.until(({ comments, retry }) => comments.length > 0 && retry !== null);
await stream.close();
await closeAll();

// @ts-expect-error: not an address, an app or a server
await open(5);
// @ts-expect-error: no such option
await open('http://localhost/', { lastEventID: '5' });
// @ts-expect-error: may be null
void (await stream.next()).data;
// @ts-expect-error: read-only
stream.status = 5;
