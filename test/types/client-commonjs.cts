// `fanline/client` as CommonJS sees it. Compiled, never run.

import { EventSource } from 'fanline/client';
import client = require('fanline/client');

const source = new client.EventSource<{ tick: string }>('/events');
source.addEventListener('tick', ({ data }) => data.trim());
// @ts-expect-error a name that is not in the map
source.addEventListener('tock', () => {});
// @ts-expect-error no such export
client.EventSources;
const other: EventSource = new EventSource('/events');
void other;
