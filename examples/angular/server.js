'use strict';

// The built page, and the events that it reads. What is behind them is in ../shared/orders.js.

const fs = require('node:fs');
const path = require('node:path');
const express = require('express');
const cafe = require('../shared/orders');

const PORT = Number(process.env.PORT || 3000);
const PAGE = path.join(__dirname, 'dist');

const { hub, router } = cafe();
const app = express();
app.use(express.static(PAGE), router);

const server = app.listen(PORT, (err) => {
  if (err) {
    const taken = `Port ${PORT} is in use. Stop what runs there, or choose another: PORT=${PORT + 1}`;
    console.error(err.code === 'EADDRINUSE' ? taken : err.message);
    process.exit(1);
  }
  console.log(`Angular is open at http://localhost:${server.address().port}`);
  if (!fs.existsSync(PAGE)) console.log('The page is not built yet: npm run build');
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await hub.close({ grace: 1_000 });
    server.close();
  });
}
