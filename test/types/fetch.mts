// hub.response(): a Request in, a Response out.

import type { RequestLike } from 'fanline';
import { createHub } from 'fanline';

declare const request: Request;

type Events = { tick: { n: number } };
type User = { name: string };

const hub = createHub<Events>();
const typed = createHub<Events, User>();

const plain: Response = hub.response(request);
const withOptions: Response = hub.response(request, { rooms: 'r' }, (client, own) => {
  client.send({ n: 1 }, { event: 'tick' });
  own.url satisfies string;
  // @ts-expect-error: not the data of a tick
  client.send({ n: '1' }, { event: 'tick' });
});
hub.response(request, undefined, (client) => client.close());

const decided: Promise<Response> = hub.response(request, () => ({ user: 'u' }));
const later: Promise<Response> = hub.response(
  request,
  async (own) => (own.headers.get('authorization') === null ? null : { rooms: ['r'] }),
  (client) => client.join('s'),
);

// @ts-expect-error: a function's answer is a promise
const wrong: Response = hub.response(request, () => null);
// @ts-expect-error: no such option
hub.response(request, { room: 'r' });
// @ts-expect-error: a function that answers undefined
hub.response(request, () => undefined);

typed.response(request, { data: { name: 'ann' } }, (client) => client.data.name.length);
typed.response(request, () => ({ data: { name: 'ann' } }));
// @ts-expect-error: the data of a client is required
typed.response(request);
// @ts-expect-error: the data of a client is required
typed.response(request, () => ({}));

class Own implements RequestLike {
  method = 'GET';
  headers = new Headers();
  extra = 1;
}
hub.response(new Own(), {}, (_client, own) => own.extra.toFixed());
// @ts-expect-error: Node's request is none of the Fetch API
hub.response({ method: 'GET', headers: { accept: '*/*' } });

hub.stats().relay.fetch satisfies number | undefined;

export { decided, later, plain, withOptions, wrong };
