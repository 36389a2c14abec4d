import nest from './nest.js';

export const { FanlineHub, FanlineModule } = nest;
export default nest;
