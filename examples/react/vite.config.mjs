import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// `npm run dev` serves the page and asks the server of `npm start` for the rest.
const server = 'http://localhost:3000';

export default defineConfig({
  plugins: [react()],
  server: { proxy: { '/events': server, '/orders': server } },
});
