import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';

// `npm run dev` serves the page and asks the server of `npm start` for the rest.
const server = 'http://localhost:3000';

export default defineConfig({
  plugins: [vue()],
  server: { proxy: { '/events': server, '/orders': server } },
});
