// fanline/compat/better-sse as CommonJS sees it. Compiled, never run.

import compat = require('fanline/compat/better-sse');
import type { IncomingMessage, ServerResponse } from 'node:http';

declare const req: IncomingMessage;
declare const res: ServerResponse;

compat.createSession(req, res, { retry: 5 }).then((session) => session.push(1));
const channel: compat.Channel = compat.createChannel();
channel.broadcast(1);
// @ts-expect-error no such function
compat.createRoom();
