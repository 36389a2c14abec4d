'use strict';

// Calls a tool of the server with the official SDK, shows its progress, and listens for a while to what the server says by itself.

const { Client } = require('@modelcontextprotocol/sdk/client/index.js');
const {
  StreamableHTTPClientTransport,
} = require('@modelcontextprotocol/sdk/client/streamableHttp.js');
const { LoggingMessageNotificationSchema } = require('@modelcontextprotocol/sdk/types.js');

const URL_OF_SERVER = process.argv[2] ?? 'http://localhost:3000/mcp';
const PAGES = Number(process.argv[3] ?? 20);

async function main() {
  const client = new Client({ name: 'fanline-example-client', version: '1.0.0' });
  const transport = new StreamableHTTPClientTransport(new URL(URL_OF_SERVER));
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
    console.log(`the server says: ${params.data}`);
  });
  await client.connect(transport);

  const { tools } = await client.listTools();
  console.log(`tools: ${tools.map(({ name }) => name).join(', ')}`);

  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort()); // cancels: the server is told, and stops
  try {
    const { content } = await client.callTool(
      { name: 'convert', arguments: { pages: PAGES, pace: 200 } },
      undefined,
      {
        signal: stop.signal,
        onprogress: ({ message, total }) => console.log(`${message} of ${total}`),
        resetTimeoutOnProgress: true,
      },
    );
    console.log(content[0].text);
  } catch (err) {
    console.log(stop.signal.aborted ? 'cancelled' : err.message);
  }
  await transport.terminateSession();
  await client.close();
}

main();
