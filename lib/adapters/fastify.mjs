import fanline from './fastify.js';

export default fanline;
